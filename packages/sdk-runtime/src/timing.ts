/** Time and random numbers of the runtime, so that tests can control both. */
export type Timing = {
  /** A monotonic clock; only differences are meaningful. */
  nowMs(): number;
  /** Resolves after `delayMs`; rejects with the signal's reason once that aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Returns a number from 0 up to but excluding 1. */
  random(): number;
};

/** The clock, timers and random numbers of the system. */
export const systemTiming: Timing = {
  nowMs: () => performance.now(),
  random: Math.random,
  pause: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const aborted = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", aborted);
        resolve();
      }, delayMs);
      signal.addEventListener("abort", aborted, { once: true });
    }),
};

/** Settles as `promise` does, or rejects with the signal's reason when it aborts. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}

/** Settles as `promise` does, or rejects with the result of `late` after `timeoutMs`. */
export function orLate<T>(promise: Promise<T>, timeoutMs: number, late: () => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
