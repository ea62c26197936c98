import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";

/** How long to wait before something lost is opened again. */
export type ReopenPauses = {
  /** The pause after a first loss; it doubles with each further one. */
  readonly firstPauseMs: number;
  /** No pause is longer. What stayed open for longer than this starts again at the first pause. */
  readonly longestPauseMs: number;
};

/**
 * Opens something again each time it is lost, until the signal aborts; resolves then and never
 * rejects. `hold` opens it once, calls `opened` when it is, and resolves with the reason once it is
 * lost or could not be opened. Each pause is spread over its upper half, so that many processes
 * do not return in step. Logs when the state changes, and what fails in between only at debug.
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
  let isKnownAway = false;
  while (!signal.aborted) {
    attempts += 1;
    let openedAtMs: number | undefined;
    const reason = await hold(() => {
      openedAtMs = performance.now();
      log.info({ attempts }, `${what} open`);
    });
    if (signal.aborted) return;
    if (openedAtMs === undefined) {
      log[isKnownAway ? "debug" : "warn"]({ reason, attempts }, `${what} cannot be opened yet`);
    } else {
      log.warn({ reason }, `${what} lost`);
      attempts = 0;
      if (performance.now() - openedAtMs > longestPauseMs) pauseMs = firstPauseMs;
    }
    isKnownAway = true;
    const spreadPauseMs = pauseMs * (0.5 + Math.random() / 2);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    await sleep(spreadPauseMs, undefined, { signal }).catch(() => undefined);
  }
}
