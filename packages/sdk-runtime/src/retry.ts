import type { Timing } from "./timing.ts";

const firstDelayMs = 250;
/** The longest pause before a call or a stream is retried, unless the server asks for more. */
export const longestDelayMs = 8_000;
const budgetSize = 10;
const earnedPerAnswer = 0.1;

/**
 * Returns the pause before the retry number `retry`, counted from 0: a random time of up to 0.25 s,
 * doubled with each retry up to 8 s, so that clients that lose their connections together do not
 * reconnect together. The pause that the server asks for is added.
 */
export function retryDelayMs(
  retry: number,
  { random }: Pick<Timing, "random">,
  retryAfterMs = 0,
): number {
  return retryAfterMs + random() * Math.min(longestDelayMs, firstDelayMs * 2 ** retry);
}

/**
 * Limits the load that retries add to an overloaded system: ten at once, and then one per ten
 * successful calls.
 */
export type RetryBudget = {
  /** Returns whether one more retry is allowed, and counts it if so. */
  take(): boolean;
  /** Records a successful call. */
  earn(): void;
};

/** Creates a full budget. */
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
