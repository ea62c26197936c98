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
  readonly end?: LoadEnd;
};

/** How a run has ended: all orders have, somebody stopped it, or nothing settled for too long. */
export type LoadEnd = "done" | "stopped" | "stalled";

/** News of an order: that it has reached its end, and which. */
export type Settled = { readonly id: string; readonly isPaid: boolean };

/** Keeps count of the orders of one run; a request and its order are known by when it began. */
export type Tally = {
  /** Requests without an answer. */
  readonly requests: number;
  /** Orders that have been answered and have not settled. */
  readonly open: number;
  /** How many requests have begun. */
  readonly begun: number;
  /** How many orders have an end, or were not taken. */
  readonly over: number;
  /** When something was last heard, or the run began. */
  readonly lastNewsMs: number;
  begin(): number;
  answered(id: string, beganMs: number): void;
  refused(error: unknown): void;
  /** Takes news of any orders, in any order, also before their answers. */
  hear(news: readonly Settled[]): void;
  progress(end?: LoadEnd): LoadProgress;
};

/** How much news of others is kept at most while an answer is under way; the newest of it. */
export const maxEarly = 1_000;

/** Begins to count a run of `total` orders. */
export function createTally(total: number, nowMs: () => number): Tally {
  const startMs = nowMs();
  const settledMs: number[] = [];
  const latenciesMs: number[] = [];
  const began = new Map<string, number>();
  /** Settled before their own answers came. */
  const early = new Map<string, { readonly atMs: number; readonly isPaid: boolean }>();
  const count = { requests: 0, begun: 0, declined: 0, failed: 0, lastNewsMs: startMs };
  let lastError: unknown;

  const settle = (beganMs: number, atMs: number, isPaid: boolean) => {
    latenciesMs.push(atMs - beganMs);
    settledMs.push(atMs - startMs);
    if (!isPaid) count.declined += 1;
    count.lastNewsMs = atMs;
  };
  const keepEarly = (id: string, news: { readonly atMs: number; readonly isPaid: boolean }) => {
    early.set(id, news);
    const [oldest] = early.keys();
    if (early.size > maxEarly && oldest !== undefined) early.delete(oldest);
  };
  return {
    get requests() {
      return count.requests;
    },
    get open() {
      return began.size;
    },
    get begun() {
      return count.begun;
    },
    get over() {
      return settledMs.length + count.failed;
    },
    get lastNewsMs() {
      return count.lastNewsMs;
    },
    begin() {
      count.requests += 1;
      count.begun += 1;
      return nowMs();
    },
    answered(id, beganMs) {
      count.requests -= 1;
      const news = early.get(id);
      if (count.requests === 0) early.clear();
      early.delete(id);
      if (news) settle(beganMs, news.atMs, news.isPaid);
      else began.set(id, beganMs);
    },
    refused(error) {
      count.requests -= 1;
      count.failed += 1;
      count.lastNewsMs = nowMs();
      lastError = error;
    },
    hear(news) {
      const atMs = nowMs();
      for (const { id, isPaid } of news) {
        const beganMs = began.get(id);
        if (beganMs !== undefined) settle(beganMs, atMs, isPaid);
        // An order of somebody else's run, or one of ours whose answer is under way.
        else if (count.requests > 0) keepEarly(id, { atMs, isPaid });
        began.delete(id);
      }
    },
    progress: (end) => ({
      total,
      elapsedMs: nowMs() - startMs,
      settledMs,
      latenciesMs,
      declined: count.declined,
      failed: count.failed,
      ...(lastError !== undefined && { lastError }),
      ...(end && { end }),
    }),
  };
}
