import type { Timing } from "./timing.ts";

const firstDelayMs = 250;
/** The longest pauses before a retry, unless the server asks for more. */
export const longestCallDelayMs = 2_000;
export const longestStreamDelayMs = 8_000;
const budgetSize = 10;
const earnedPerAnswer = 0.1;
const earnedPerMs = 50 / 1_000;

/**
 * Returns the pause before the retry number `retry`, counted from 0: a random time of up to 0.25 s,
 * doubled with each retry up to `longestMs`, so that clients that lose their connections together
 * do not reconnect together. The pause that the server asks for is added.
 */
export function retryDelayMs(
  retry: number,
  longestMs: number,
  { random }: Pick<Timing, "random">,
  retryAfterMs = 0,
): number {
  return retryAfterMs + random() * Math.min(longestMs, firstDelayMs * 2 ** retry);
}

/**
 * Limits the load that retries add to an overloaded system: ten at once, and then 50 per second and
 * one per ten successful calls. A retry beyond that waits for its turn.
 */
export type RetryBudget = {
  /** Reserves one retry and returns how many milliseconds from `nowMs` its turn is. */
  reserve(nowMs: number): number;
  /** Gives back a reservation that is not used. */
  release(): void;
  /** Records a successful call. */
  earn(): void;
};

/** Creates a full budget. */
export function createRetryBudget(): RetryBudget {
  // Negative if more retries are reserved than allowed so far.
  let left = budgetSize;
  let countedMs = Number.NEGATIVE_INFINITY;
  const add = (retries: number) => {
    left = Math.min(budgetSize, left + retries);
  };
  return {
    reserve(nowMs) {
      add((nowMs - countedMs) * earnedPerMs);
      countedMs = nowMs;
      left -= 1;
      return Math.max(0, -left / earnedPerMs);
    },
    release: () => add(1),
    earn: () => add(earnedPerAnswer),
  };
}
