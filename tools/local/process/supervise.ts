import { setTimeout as pause } from "node:timers/promises";
import type { Exit } from "./nursery.ts";

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** A part that ran this long has recovered: its next pause is the first one again. */
const steadyMs = 60_000;

/** Something that is kept running. */
export type Part = {
  readonly name: string;
  /** Starts it and answers once it can be used; `note` takes a line about what it is doing. */
  start(note: (line: string) => void): Promise<RunningPart>;
};

/** Disposing it stops it and cleans up after it. */
export interface RunningPart extends AsyncDisposable {
  readonly exited: Promise<Exit>;
  /** Where it can be reached, for the reader. */
  readonly address: string;
}

export type PartState = "starting" | "ready" | "died";

/** Called at each change of a part. */
export type ReportState = (name: string, state: PartState, detail: string) => void;

/** How long to wait before the next start after so many ends in a row: 0.5 s, doubled up to 30 s. */
export function restartPauseMs(endsInARow: number): number {
  return Math.min(firstPauseMs * 2 ** (endsInARow - 1), longestPauseMs);
}

/**
 * Starts a part and answers when it is ready; throws if this first start fails. From then on, until
 * `signal` is aborted, it is started again whenever it ends, after a pause that grows.
 */
export async function supervise(options: {
  readonly part: Part;
  readonly report: ReportState;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { part, report, signal } = options;
  const start = async () => {
    report(part.name, "starting", "");
    const running = await part.start((line) => report(part.name, "starting", line));
    report(part.name, "ready", running.address);
    return running;
  };
  const keepRunning = async (first: RunningPart) => {
    let running: RunningPart | undefined = first;
    let endsInARow = 0;
    while (!signal.aborted) {
      let reason: string;
      try {
        const startedAt = performance.now();
        running ??= await start();
        ({ reason } = await running.exited);
        await running[Symbol.asyncDispose]();
        if (performance.now() - startedAt > steadyMs) endsInARow = 0;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      if (signal.aborted) return;
      running = undefined;
      endsInARow += 1;
      const pauseMs = restartPauseMs(endsInARow);
      report(part.name, "died", `${reason}; starting again in ${pauseMs / 1000} s`);
      await pause(pauseMs, undefined, { signal }).catch(() => {});
    }
  };
  void keepRunning(await start());
}
