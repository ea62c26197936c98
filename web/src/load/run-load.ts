/** Requests at a time: of a browser's six connections the watch has one, and one is for the rest. */
export const maxRequests = 4;
/** Orders that are placed and not settled yet; more would only wait in line. */
export const maxOpenOrders = 64;
/** A run in which nothing settles for so long ends. */
const stalledAfterMs = 20_000;
const checkIntervalMs = 500;

/** How a run stands. Moments are in milliseconds since its beginning. */
export type LoadProgress = {
  readonly total: number;
  readonly elapsedMs: number;
  /** When each order settled, in that order. */
  readonly settledMs: readonly number[];
  /** How long each took, from the request to the news of its end, in the same order. */
  readonly latenciesMs: readonly number[];
  readonly declined: number;
  /** Orders that were not taken. */
  readonly failed: number;
  readonly lastError?: unknown;
  readonly end?: "done" | "stopped" | "stalled";
};

/** News of an order: that it has reached its end, and which. */
export type Settled = { readonly id: string; readonly isPaid: boolean };

/**
 * Places `total` orders, few at a time, and measures how long each takes to settle. `onSettled` brings
 * the news, in any order and also before the answer of `place`, which returns the order's id. Resolves
 * with the last progress when all have an end, when the signal aborts, or when nothing settles for 20
 * seconds.
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
  const startMs = nowMs();
  const settledMs: number[] = [];
  const latenciesMs: number[] = [];
  const began = new Map<string, number>();
  /** Settled before their own answers came. */
  const early = new Map<string, { readonly atMs: number; readonly isPaid: boolean }>();
  const result = Promise.withResolvers<LoadProgress>();
  let placed = 0;
  let requests = 0;
  let declined = 0;
  let failed = 0;
  let lastError: unknown;
  let lastNewsMs = startMs;
  let isOver = false;

  const progress = (end?: LoadProgress["end"]): LoadProgress => ({
    total,
    elapsedMs: nowMs() - startMs,
    settledMs,
    latenciesMs,
    declined,
    failed,
    ...(lastError !== undefined && { lastError }),
    ...(end && { end }),
  });
  const finish = (end: NonNullable<LoadProgress["end"]>) => {
    if (isOver) return;
    isOver = true;
    unlisten();
    clearInterval(watchdog);
    signal.removeEventListener("abort", onAbort);
    result.resolve(progress(end));
  };
  const settle = (beganMs: number, atMs: number, isPaid: boolean) => {
    latenciesMs.push(atMs - beganMs);
    settledMs.push(atMs - startMs);
    if (!isPaid) declined += 1;
    lastNewsMs = atMs;
  };
  const goOn = () => {
    if (isOver) return;
    onProgress(progress());
    if (settledMs.length + failed >= total) return finish("done");
    while (requests < maxRequests && placed < total && began.size + requests < maxOpenOrders) {
      placed += 1;
      requests += 1;
      void placeOne(placed);
    }
  };
  const placeOne = async (number: number) => {
    const beganMs = nowMs();
    try {
      const id = await place(number);
      const news = early.get(id);
      early.delete(id);
      if (news) settle(beganMs, news.atMs, news.isPaid);
      else began.set(id, beganMs);
    } catch (error) {
      failed += 1;
      lastError = error;
      lastNewsMs = nowMs();
    }
    requests -= 1;
    goOn();
  };
  const unlisten = onSettled((news) => {
    const atMs = nowMs();
    for (const { id, isPaid } of news) {
      const beganMs = began.get(id);
      if (beganMs === undefined) {
        if (requests > 0) early.set(id, { atMs, isPaid });
        continue;
      }
      began.delete(id);
      settle(beganMs, atMs, isPaid);
    }
    goOn();
  });
  const onAbort = () => finish("stopped");
  signal.addEventListener("abort", onAbort);
  const watchdog = setInterval(() => {
    if (nowMs() - lastNewsMs > stalledAfterMs) finish("stalled");
  }, checkIntervalMs);
  goOn();
  return result.promise;
}
