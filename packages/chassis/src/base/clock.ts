/** The source of time of a service; tests pass their own. */
export type Clock = {
  /** Wall-clock time in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds since an arbitrary moment, for durations only; never jumps. */
  readonly monotonicMs: () => number;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
