import { createAside } from "./aside.ts";
import { type BatchEntry, createSettling } from "./batch-entry.ts";
import { createLockSearch } from "./lock-search.ts";
import { createUserTurns } from "./user-turns.ts";

/** Rejects a submitted item when too many are already waiting. */
export class BatcherFullError extends Error {
  constructor(waiting: number) {
    super(`${waiting} items are already waiting`);
    this.name = "BatcherFullError";
  }
}

export type SubmitOptions = {
  /** An item whose signal aborts before its batch starts is left out. */
  readonly signal?: AbortSignal;
  /** How long the caller still waits; matters only if the item's user is locked. */
  readonly timeoutMs?: () => number | undefined;
};

export type Batcher<Item, Result> = AsyncDisposable & {
  /**
   * Adds the item to the next batch and resolves with its result. Rejects with what `run` threw for
   * it, with {@link BatcherFullError} when too many wait, with `UserLockedError` when the rows of
   * its user stay locked, or with the signal's reason.
   */
  submit(item: Item, options?: SubmitOptions): Promise<Result>;
};

/** How a batcher handles the locks of other transactions. */
export type LockHandling = {
  readonly isLocked: (error: unknown) => boolean;
  /** Returns those of the users whose rows another transaction has locked, without waiting. */
  readonly findLocked: (users: readonly string[]) => Promise<readonly string[]>;
  /** Called for each user who is set aside. */
  readonly onSetAside?: () => void;
};

export type BatcherOptions<Item, Result> = {
  readonly maxBatchSize: number;
  readonly maxWaiting: number;
  /** How many items of one user may wait; default `maxWaiting`. */
  readonly maxWaitingPerUser?: number;
  /** Whose item it is; by default all are of one user. */
  readonly userOf?: (item: Item) => string;
  /** Whether the next item is of the next user, which is the default, or of a random one. */
  readonly order?: "in turn" | "random";
  /** Runs a batch; with `isBrief`, it must wait for locks only very briefly. */
  readonly run: (items: readonly Item[], isBrief: boolean) => Promise<readonly Result[]>;
  readonly isShared: (error: unknown) => boolean;
  /** By default, an error because of a lock is like any other. */
  readonly locks?: LockHandling;
};

/**
 * Collects items while one batch is in flight and runs them as the next one. There is no timer, so
 * an idle system answers immediately, and a busy one shares a transaction among up to
 * `maxBatchSize` items. If more wait, users are served in turn; the items of one user keep their
 * order unless the user is set aside.
 *
 * `run` returns one result per item, in order. It must take effect for all items or, if it throws,
 * for none. A batch that throws is halved until the failing item is alone, so that one item never
 * fails another. If `isShared` says that the error would affect every item (for example because the
 * database is down), the whole batch fails at once. Aborted items are left out of the halves.
 *
 * A batch that fails because another transaction holds a lock waits for that once. Then the users
 * that the lock is about are set aside with all their items, until it is released, and the others
 * go on; see `lock-search.ts` and `aside.ts`.
 *
 * At most `maxWaiting` items wait. A further one replaces the last one of the user with most items,
 * if its own user has at least two less. Items of users set aside do not count: of these, at most
 * `maxWaiting` wait. Disposing lets waiting items finish, except those set aside.
 */
export function createBatcher<Item, Result>(
  options: BatcherOptions<Item, Result>,
): Batcher<Item, Result> {
  const { maxBatchSize, maxWaiting, maxWaitingPerUser = maxWaiting } = options;
  const { userOf = () => "", order, run, isShared, locks } = options;
  type Entry = BatchEntry<Item, Result>;
  const waiting = createUserTurns<Entry>(order);
  const { isLocked = () => false, findLocked = async () => [], onSetAside } = locks ?? {};
  const settle = createSettling({ run, isShared, isLocked });
  const aside = createAside({ settle, maxBatchSize, maxWaiting });
  let draining: Promise<void> | undefined;

  const putBack = (entries: readonly Entry[]) => {
    for (const entry of entries.toReversed()) waiting.putBack(entry.user, entry);
  };
  const isolate = createLockSearch({
    settle,
    findLocked,
    putBack,
    setAside(entries) {
      for (const [user, own] of Map.groupBy(entries, (entry) => entry.user)) {
        aside.lock(user, [...own, ...waiting.takeAllOf(user)]);
        onSetAside?.();
      }
    },
  });
  const drain = async () => {
    // Waits for the end of this turn, so that everything that arrived in one read joins the batch.
    await new Promise(setImmediate);
    while (waiting.size > 0) {
      await settle(waiting.take(maxBatchSize), { onLocked: isolate });
    }
    draining = undefined;
  };
  /** Whether another item of the user may wait. The user with most items has to make room. */
  const hasRoomFor = (user: string): boolean => {
    if (waiting.size < maxWaiting) return true;
    const longest = waiting.longest();
    if (!longest || longest.size <= waiting.sizeOf(user) + 1) return false;
    waiting.takeLastOf(longest.user)?.reject(new BatcherFullError(waiting.size));
    return true;
  };

  return {
    submit(item, { signal, timeoutMs } = {}) {
      const user = userOf(item);
      const own = waiting.sizeOf(user) + aside.sizeOf(user);
      const isAside = aside.holds(user);
      if (own >= maxWaitingPerUser) return Promise.reject(new BatcherFullError(own));
      // Those set aside have places of their own: they must not take those of the others.
      if (!isAside && !hasRoomFor(user)) return Promise.reject(new BatcherFullError(maxWaiting));
      return new Promise<Result>((resolve, reject) => {
        const entry = { item, user, signal, timeoutMs, resolve, reject };
        if (isAside) return aside.add(entry);
        waiting.push(user, entry);
        draining ??= drain();
      });
    },
    async [Symbol.asyncDispose]() {
      while (draining) await draining;
      await aside[Symbol.asyncDispose]();
    },
  };
}
