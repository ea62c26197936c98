/** An item that waits for its result. */
export type BatchEntry<Item, Result> = {
  readonly item: Item;
  /** Whose item it is. */
  readonly user: string;
  readonly signal: AbortSignal | undefined;
  /** How long the caller still waits; undefined if the item has no deadline. */
  readonly timeoutMs: (() => number | undefined) | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Runs entries as a batch and settles them, except those that it passes to `onLocked`. Returns how
 * many of them took effect.
 */
export type SettleBatch<Item, Result> = (
  entries: readonly BatchEntry<Item, Result>[],
  options: {
    /** Waits for locks only very briefly. */
    readonly isBrief?: boolean;
    /** Receives a batch that failed because another transaction holds a lock. */
    readonly onLocked: (
      batch: readonly BatchEntry<Item, Result>[],
      error: unknown,
    ) => Promise<void> | void;
  },
) => Promise<number>;

/** Rejects the entries whose signal has aborted and returns the others. */
export function withoutGone<Item, Result>(
  entries: readonly BatchEntry<Item, Result>[],
): readonly BatchEntry<Item, Result>[] {
  if (!entries.some(({ signal }) => signal?.aborted)) return entries;
  return entries.filter(({ signal, reject }) => {
    if (!signal?.aborted) return true;
    reject(signal.reason);
    return false;
  });
}

/**
 * Returns how to run a batch. `run` takes effect for all items or, if it throws, for none. A batch
 * that throws is halved until the failing item is alone, so that one item never fails another. If
 * `isShared` says that the error would affect every item, the whole batch fails at once.
 */
export function createSettling<Item, Result>(options: {
  readonly run: (items: readonly Item[], isBrief: boolean) => Promise<readonly Result[]>;
  readonly isShared: (error: unknown) => boolean;
  readonly isLocked: (error: unknown) => boolean;
}): SettleBatch<Item, Result> {
  const { run, isShared, isLocked } = options;
  const settle: SettleBatch<Item, Result> = async (entries, how) => {
    const batch = withoutGone(entries);
    if (batch.length === 0) return 0;
    const { isBrief = false, onLocked } = how;
    try {
      const results = await run(
        batch.map(({ item }) => item),
        isBrief,
      );
      if (results.length !== batch.length) {
        throw new Error(`a batch of ${batch.length} items returned ${results.length} results`);
      }
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
      return batch.length;
    } catch (error) {
      if (isLocked(error)) {
        await onLocked(batch, error);
        return 0;
      }
      if (batch.length === 1 || isShared(error)) {
        for (const { reject } of batch) reject(error);
        return 0;
      }
      const half = Math.ceil(batch.length / 2);
      const first = await settle(batch.slice(0, half), how);
      return first + (await settle(batch.slice(half), how));
    }
  };
  return settle;
}
