import { setTimeout as pause } from "node:timers/promises";

const leastHoldMs = 1_000;

/** Does `work` `count` times, at most `concurrency` at a time. */
export async function inLanes(
  count: number,
  concurrency: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

/** Repeats `work` in each of `concurrency` lanes until `signal` aborts. */
export async function untilAborted(
  concurrency: number,
  signal: AbortSignal,
  work: (lane: number) => Promise<void>,
): Promise<void> {
  const lane = async (_: unknown, index: number) => {
    while (!signal.aborted) await work(index);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

/** Holds what is open until `signal` aborts, and at least for a second. */
export async function hold(signal: AbortSignal): Promise<void> {
  await pause(leastHoldMs);
  while (!signal.aborted) await pause(2 ** 30, undefined, { signal }).catch(() => {});
}
