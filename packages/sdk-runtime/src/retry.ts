import type { Timing } from "./timing.ts";

const firstDelayMs = 250;
/** The longest pause before a call or a stream is tried again, unless the server asks for more. */
export const longestDelayMs = 8_000;
const budgetSize = 10;
const earnedPerAnswer = 0.1;

/**
 * How long to wait before the retry number `retry`, counted from 0: anything up to 0.25 s, doubled
 * with each retry up to 8 s, so that clients cut together do not come back together. What the server
 * asks for comes on top.
 */
export function retryDelayMs(
  retry: number,
  { random }: Pick<Timing, "random">,
  retryAfterMs = 0,
): number {
  return retryAfterMs + random() * Math.min(longestDelayMs, firstDelayMs * 2 ** retry);
}

/**
 * Bounds what retries add to the load of a system in trouble: ten at once, and then one per ten
 * calls that succeed.
 */
export type RetryBudget = {
  /** Whether one more retry may be made; if so, it counts. */
  take(): boolean;
  /** Notes a call that succeeded. */
  earn(): void;
};

/** A budget that nothing has been taken from. */
export function createRetryBudget(): RetryBudget {
  let left = budgetSize;
  return {
    take() {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    earn() {
      left = Math.min(budgetSize, left + earnedPerAnswer);
    },
  };
}
