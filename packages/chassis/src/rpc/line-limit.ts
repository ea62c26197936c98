import type { Clock } from "../base/clock.ts";

/**
 * Returns how many lines about the subject were left out since the last one, if another may be
 * written now, and otherwise undefined. At most `perSecond` lines about each subject are written, so
 * that a caller cannot fill the log.
 */
export type LineLimit = (subject: string) => number | undefined;

/** Creates a limit. Remembers every subject, so there must be few. */
export function createLineLimit(perSecond: number, clock: Clock): LineLimit {
  const subjects = new Map<string, { sinceMs: number; written: number; omitted: number }>();
  return (subject) => {
    const nowMs = clock.monotonicMs();
    const state = subjects.get(subject) ?? { sinceMs: nowMs, written: 0, omitted: 0 };
    subjects.set(subject, state);
    if (nowMs - state.sinceMs >= 1_000) {
      state.sinceMs = nowMs;
      state.written = 0;
    }
    if (state.written >= perSecond) {
      state.omitted += 1;
      return undefined;
    }
    const { omitted } = state;
    state.written += 1;
    state.omitted = 0;
    return omitted;
  };
}
