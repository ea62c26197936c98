import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { steadyLogOf } from "./steady-log.ts";

/** How long to wait before reopening something that was lost. */
export type ReopenPauses = {
  /** The pause after the first loss. It doubles with each further loss. */
  readonly firstPauseMs: number;
  /** The longest pause. After staying open for longer than this, the first pause applies again. */
  readonly longestPauseMs: number;
};

/**
 * Reopens something each time it is lost, until the signal aborts. Then it resolves; it never
 * rejects. `hold` opens it once, calls `opened` when it is open, and resolves with the reason when
 * it is lost or could not be opened. Each pause is randomised within its upper half, so that many
 * processes do not retry in step. Logs state changes; what repeats is counted, once a minute.
 */
export async function holdOpen(options: {
  what: string;
  hold: (opened: () => void) => Promise<string>;
  pauses: ReopenPauses;
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  const { what, hold, signal, log } = options;
  const { firstPauseMs, longestPauseMs } = options.pauses;
  let pauseMs = firstPauseMs;
  let attempts = 0;
  let openLevel: "info" | "debug" = "info";
  const steady = steadyLogOf(log);
  while (!signal.aborted) {
    attempts += 1;
    let openedAtMs: number | undefined;
    const reason = await hold(() => {
      openedAtMs = performance.now();
      log[openLevel]({ attempts }, `${what} open`);
    });
    if (signal.aborted) return;
    if (openedAtMs === undefined) {
      if (steady.warn({ reason, attempts }, `${what} cannot be opened yet`)) openLevel = "info";
    } else {
      openLevel = steady.warn({ reason }, `${what} lost`) ? "info" : "debug";
      attempts = 0;
      if (performance.now() - openedAtMs > longestPauseMs) pauseMs = firstPauseMs;
    }
    const spreadPauseMs = pauseMs * (0.5 + Math.random() / 2);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    await sleep(spreadPauseMs, undefined, { signal }).catch(() => undefined);
  }
}
