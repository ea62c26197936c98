/** The progress of a run. Times are in milliseconds since its start. */
export type LoadProgress = {
  readonly total: number;
  readonly elapsedMs: number;
  /** When each order settled, in ascending order. */
  readonly settledMs: readonly number[];
  /** The time of each from the request to its outcome, in the same order. */
  readonly latenciesMs: readonly number[];
  readonly declined: number;
  /** The number of rejected orders. */
  readonly failed: number;
  readonly lastError?: unknown;
  readonly end?: LoadEnd;
};

/** How a run ended: all orders settled, it was stopped, or no order settled for too long. */
export type LoadEnd = "done" | "stopped" | "stalled";

/** A settled order and its outcome. */
export type Settled = { readonly id: string; readonly isPaid: boolean };

/**
 * Counts the orders of a run; a request and its order are identified by the request's start time.
 */
export type Tally = {
  /** Requests without a response. */
  readonly requests: number;
  /** Accepted orders that have not settled. */
  readonly open: number;
  /** The number of requests started. */
  readonly begun: number;
  /** The number of orders that have settled or were rejected. */
  readonly over: number;
  /** The time of the last response or change, or of the start. */
  readonly lastNewsMs: number;
  begin(): number;
  answered(id: string, beganMs: number): void;
  refused(error: unknown): void;
  /**
   * Accepts settled orders of any run, in any order, also before the responses to their requests.
   */
  hear(news: readonly Settled[]): void;
  progress(end?: LoadEnd): LoadProgress;
};

/** How many early changes are kept while requests are in flight; the newest are kept. */
export const maxEarly = 1_000;

/** Creates the tally of a run of `total` orders. */
export function createTally(total: number, nowMs: () => number): Tally {
  const startMs = nowMs();
  const settledMs: number[] = [];
  const latenciesMs: number[] = [];
  const began = new Map<string, number>();
  /** Orders that settled before the response to their request. */
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
        // An order of another run, or one of this run whose response is still in flight.
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
