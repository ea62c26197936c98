/** The time as the service sees it; tests pass their own. */
export type Clock = {
  /** Wall-clock time in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds since an arbitrary moment; never jumps, only for durations. */
  readonly monotonicMs: () => number;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
