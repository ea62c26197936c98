import { setTimeout as pause } from "node:timers/promises";
import type { Exit } from "./nursery.ts";

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** After running this long, a part has recovered, and its next pause is the first one again. */
const steadyMs = 60_000;

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

/** The pause before the next start after consecutive ends: 0.5 s, doubled each time up to 30 s. */
export function restartPauseMs(endsInARow: number): number {
  return Math.min(firstPauseMs * 2 ** (endsInARow - 1), longestPauseMs);
}

/**
 * Starts a part and resolves when it is ready; throws if this first start fails. Then restarts it
 * whenever it ends, after a growing pause, until `signal` is aborted.
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
