/** Rejects a submitted item when too many are already waiting. */
export class BatcherFullError extends Error {
  constructor(maxWaiting: number) {
    super(`${maxWaiting} items are already waiting`);
    this.name = "BatcherFullError";
  }
}

export type SubmitOptions = {
  /** An item whose signal aborts before its batch starts is left out. */
  readonly signal?: AbortSignal;
  /** Runs the item in a batch of its own. */
  readonly alone?: boolean;
};

export type Batcher<Item, Result> = AsyncDisposable & {
  /**
   * Adds the item to the next batch and resolves with its result. Rejects with what `run` threw for
   * it, with {@link BatcherFullError} when too many wait, or with the signal's reason.
   */
  submit(item: Item, options?: SubmitOptions): Promise<Result>;
};

type Waiting<Item, Result> = {
  readonly item: Item;
  readonly alone: boolean;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Collects items while one batch is in flight and runs them as the next one. There is no timer, so
 * an idle system answers immediately, and a busy one shares a transaction among up to
 * `maxBatchSize` items.
 *
 * `run` returns one result per item, in order. It must take effect for all items or, if it throws,
 * for none. A batch that throws is halved until the failing item is alone, so that one item never
 * fails another. If `isShared` says that the error would affect every item (for example because the
 * database is down), the whole batch fails at once. Aborted items are left out of the halves.
 *
 * At most `maxWaiting` items wait. Disposing lets waiting items finish.
 */
export function createBatcher<Item, Result>(options: {
  readonly maxBatchSize: number;
  readonly maxWaiting: number;
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly isShared: (error: unknown) => boolean;
}): Batcher<Item, Result> {
  const { maxBatchSize, maxWaiting, run, isShared } = options;
  let waiting: Waiting<Item, Result>[] = [];
  let draining: Promise<void> | undefined;

  const withoutGone = (entries: readonly Waiting<Item, Result>[]) =>
    entries.filter((entry) => {
      if (!entry.signal?.aborted) return true;
      entry.reject(entry.signal.reason);
      return false;
    });

  const nextBatch = () => {
    const live = withoutGone(waiting);
    const firstAlone = live.findIndex((entry) => entry.alone);
    const size =
      firstAlone === 0 ? 1 : Math.min(maxBatchSize, firstAlone < 0 ? live.length : firstAlone);
    waiting = live.slice(size);
    return live.slice(0, size);
  };

  const settle = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    if (batch.length === 0) return;
    try {
      const results = await run(batch.map((entry) => entry.item));
      if (results.length !== batch.length) {
        throw new Error(`a batch of ${batch.length} items returned ${results.length} results`);
      }
      batch.forEach((entry, index) => {
        entry.resolve(results[index] as Result);
      });
    } catch (error) {
      if (batch.length === 1 || isShared(error)) {
        for (const entry of batch) entry.reject(error);
        return;
      }
      const half = Math.ceil(batch.length / 2);
      await settle(withoutGone(batch.slice(0, half)));
      await settle(withoutGone(batch.slice(half)));
    }
  };

  const drain = async () => {
    // Waits for the end of this turn, so that everything that arrived in one read joins the batch.
    await new Promise(setImmediate);
    for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) await settle(batch);
    draining = undefined;
  };

  return {
    submit(item, { signal, alone = false } = {}) {
      if (waiting.length >= maxWaiting) return Promise.reject(new BatcherFullError(maxWaiting));
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ item, alone, signal, resolve, reject });
        draining ??= drain();
      });
    },
    async [Symbol.asyncDispose]() {
      while (draining) await draining;
    },
  };
}
