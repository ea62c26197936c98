import { createTally, type LoadEnd, type LoadProgress, type Settled } from "./tally.ts";

/**
 * Concurrent requests: a browser has six connections, of which the watch and other calls need two.
 */
export const maxRequests = 4;
/** The maximum of placed orders that have not settled; more would only queue. */
export const maxOpenOrders = 64;
/** A run ends if no order settles for this long. */
const stalledAfterMs = 20_000;
const checkIntervalMs = 500;

/**
 * Places `total` orders, a few at a time, and measures how long each takes to settle. `onSettled`
 * reports settled orders, in any order and possibly before `place` returns the order's id. Resolves
 * with the final progress when all have settled or failed, when the signal aborts, or when no order
 * settles for 20 seconds.
 */
export async function runLoad(options: {
  readonly total: number;
  place(number: number): Promise<string>;
  onSettled(listen: (settled: readonly Settled[]) => void): () => void;
  onProgress(progress: LoadProgress): void;
  nowMs(): number;
  readonly signal: AbortSignal;
}): Promise<LoadProgress> {
  const { total, place, onSettled, onProgress, nowMs, signal } = options;
  const tally = createTally(total, nowMs);
  const { promise, resolve } = Promise.withResolvers<LoadEnd>();
  let isOver = false;

  const placeOne = async () => {
    const beganMs = tally.begin();
    try {
      tally.answered(await place(tally.begun), beganMs);
    } catch (error) {
      tally.refused(error);
    }
    goOn();
  };
  const goOn = () => {
    if (isOver) return;
    onProgress(tally.progress());
    if (tally.over >= total) return resolve("done");
    while (
      tally.begun < total &&
      tally.requests < maxRequests &&
      tally.requests + tally.open < maxOpenOrders
    ) {
      void placeOne();
    }
  };
  const unlisten = onSettled((news) => {
    tally.hear(news);
    goOn();
  });
  const stop = () => resolve("stopped");
  signal.addEventListener("abort", stop);
  const watchdog = setInterval(() => {
    if (nowMs() - tally.lastNewsMs > stalledAfterMs) resolve("stalled");
  }, checkIntervalMs);
  try {
    goOn();
    return tally.progress(await promise);
  } finally {
    isOver = true;
    unlisten();
    clearInterval(watchdog);
    signal.removeEventListener("abort", stop);
  }
}
