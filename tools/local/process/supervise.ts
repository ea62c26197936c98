import { setTimeout as pause } from "node:timers/promises";
import type { Exit } from "./nursery.ts";

const firstPauseMs = 500;
const longestPauseMs = 2_000;
/** A part that ends sooner after it was ready has not recovered: its start counts as failed. */
const steadyMs = 1_000;

/** A part of the system that is kept running. */
export type Part = {
  readonly name: string;
  /** Starts it and resolves when it is ready; calls `note` with its progress. */
  start(note: (line: string) => void): Promise<RunningPart>;
};

/** A running part. Disposing stops it and cleans up. */
export interface RunningPart extends AsyncDisposable {
  readonly exited: Promise<Exit>;
  /** Its address, for display. */
  readonly address: string;
}

export type PartState = "starting" | "ready" | "died";

/** Called when the state of a part changes. */
export type ReportState = (name: string, state: PartState, detail: string) => void;

/** The pause after so many failed starts in a row: none at first, then 0.5 s, doubled up to 2 s. */
export function restartPauseMs(failedStarts: number): number {
  if (failedStarts === 0) return 0;
  return Math.min(firstPauseMs * 2 ** (failedStarts - 1), longestPauseMs);
}

/**
 * Starts a part and resolves when it is ready; throws if this first start fails. Then restarts it
 * whenever it ends, until `signal` is aborted: at once if it had been ready, however often; after a
 * growing pause while its starts fail.
 */
export async function supervise(options: {
  readonly part: Part;
  readonly report: ReportState;
  readonly signal: AbortSignal;
  /** A monotonic clock. */
  readonly nowMs?: () => number;
}): Promise<void> {
  const { part, report, signal, nowMs = () => performance.now() } = options;
  const start = async () => {
    report(part.name, "starting", "");
    const running = await part.start((line) => report(part.name, "starting", line));
    report(part.name, "ready", running.address);
    return running;
  };
  const keepRunning = async (first: RunningPart) => {
    let running: RunningPart | undefined = first;
    let failedStarts = 0;
    while (!signal.aborted) {
      let reason: string;
      failedStarts += 1;
      try {
        running ??= await start();
        const readyMs = nowMs();
        ({ reason } = await running.exited);
        if (nowMs() - readyMs >= steadyMs) failedStarts = 0;
        await running[Symbol.asyncDispose]();
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      if (signal.aborted) return;
      running = undefined;
      const pauseMs = restartPauseMs(failedStarts);
      const when = pauseMs === 0 ? "now" : `in ${pauseMs / 1000} s`;
      report(part.name, "died", `${reason}; starting again ${when}`);
      await pause(pauseMs, undefined, { signal }).catch(() => {});
    }
  };
  void keepRunning(await start());
}
