import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const everyMs = 250;
const answerTimeoutMs = 2_000;
const address = "127.0.0.9";

/** A poll of the edge's `/healthz` that was not answered with 200 within 2 s. */
export type HealthMiss = { readonly atMs: number; readonly reason: string };

/** Polls of `/healthz`, until it is disposed. */
export type HealthWatch = AsyncDisposable & { readonly misses: readonly HealthMiss[] };

/** Polls `/healthz` of the edge every 250 ms, on a connection of its own each time. */
export function watchHealth(port: number): HealthWatch {
  const stop = new AbortController();
  const misses: HealthMiss[] = [];
  const poll = async () => {
    while (!stop.signal.aborted) {
      const atMs = performance.now();
      const reason = await missOf(port);
      if (reason !== undefined) misses.push({ atMs, reason });
      await pause(everyMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const polls = poll();
  return {
    misses,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await polls;
    },
  };
}

function missOf(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const options = { host: "127.0.0.1", port, path: "/healthz", agent: false, signal } as const;
    const sent = request({ ...options, localAddress: address }, (answer) => {
      answer.resume();
      answer.on("error", (error) => resolve(error.message));
      resolve(answer.statusCode === 200 ? undefined : `HTTP ${answer.statusCode}`);
    });
    sent.on("error", (error) => resolve(error.message));
    sent.end();
  });
}
