import assert from "node:assert/strict";
import { type BatchEntry, type SettleBatch, withoutGone } from "./batch-entry.ts";

const tickMs = 50;
const firstPauseMs = 50;
const longestPauseMs = 250;
const maxTriesAtOnce = 2;
const maxUsersDue = 32;
const maxUsersKnown = 1_000;
// Longer than a message waits in the first retry queue, so that its user is still known when it
// returns.
const knownMs = 10_000;
const knownAfterSuccessMs = 1_000;
// A try must be able to end before the deadline, or its caller would not learn the reason.
const deadlineMarginMs = 1_000;

/** Rejects an item because another transaction has locked its user's rows; it had no effect. */
export class UserLockedError extends Error {
  constructor(user: string) {
    super(`the data of user ${user} is locked by another transaction; try again later`);
    this.name = "UserLockedError";
  }
}

/** The items of users whose rows other transactions have locked. */
export type Aside<Item, Result> = AsyncDisposable & {
  /** How many items wait here. */
  readonly size: number;
  sizeOf(user: string): number;
  /** Whether the items of this user belong here at the moment. */
  holds(user: string): boolean;
  /** Takes items of one user who has just been found locked. */
  lock(user: string, entries: readonly BatchEntry<Item, Result>[]): void;
  /** Takes another item of a user for whom {@link Aside.holds} is true. */
  add(entry: BatchEntry<Item, Result>): void;
};

type Held<Entry> = {
  readonly user: string;
  entries: Entry[];
  /** How many entries the next try takes. */
  trySize: number;
  pauseMs: number;
  nextTryMs: number;
  /** The user stays here at least until then. */
  knownUntilMs: number;
  /** Waits for its turn, or is being tried. */
  isTrying: boolean;
};

/**
 * Keeps the items of users whose rows are locked away from those of all others, and tries them again
 * in batches of one user alone: with growing pauses, and a limited number of users at a time. The
 * batches of a user grow while they succeed and shrink to one item while they fail, so that one
 * locked row does not hold the user's other items for long.
 *
 * An item waits until shortly before its deadline and is then rejected with
 * {@link UserLockedError}. An item that comes without a deadline, or with less time than that, does
 * not wait: it is rejected if it cannot be tried now or with the try that is about to begin, or if
 * that fails. So is an item for which there is no room among `maxWaiting`. A user who was locked
 * stays here for `knownMs` after that, or for `knownAfterSuccessMs` after an item that got through.
 * Disposing rejects what waits.
 */
export function createAside<Item, Result>(options: {
  readonly settle: SettleBatch<Item, Result>;
  readonly maxBatchSize: number;
  /** How many items wait here. */
  readonly maxWaiting: number;
}): Aside<Item, Result> {
  const { settle, maxBatchSize, maxWaiting } = options;
  type Entry = BatchEntry<Item, Result>;
  const users = new Map<string, Held<Entry>>();
  const due: Held<Entry>[] = [];
  const tries = new Set<Promise<void>>();
  let size = 0;
  let ticker: NodeJS.Timeout | undefined;
  let stopped = false;

  /** Whether another item can be tried now, or with the try that is about to begin. */
  const isDue = (held: Held<Entry>) => {
    if (held.isTrying) return held.entries.length < maxBatchSize;
    return performance.now() >= held.nextTryMs && due.length < maxUsersDue;
  };
  const canStay = (held: Held<Entry>, { timeoutMs }: Entry) => {
    const leftMs = timeoutMs?.();
    return leftMs === undefined ? isDue(held) : leftMs > deadlineMarginMs;
  };
  const put = (held: Held<Entry>, entry: Entry, isWelcome: boolean) => {
    if (stopped || size >= maxWaiting || !isWelcome) {
      return entry.reject(new UserLockedError(held.user));
    }
    held.entries.push(entry);
    size += 1;
    ticker ??= setInterval(tick, tickMs);
  };
  const take = (held: Held<Entry>, max: number): readonly Entry[] => {
    const taken = held.entries.splice(0, max);
    size -= taken.length;
    return taken;
  };
  /** Rejects what has gone and what can wait no longer. */
  const sift = (held: Held<Entry>) => {
    for (const entry of withoutGone(take(held, Infinity))) put(held, entry, canStay(held, entry));
  };

  const noteLocked = (held: Held<Entry>) => {
    const nowMs = performance.now();
    held.knownUntilMs = nowMs + knownMs;
    held.nextTryMs = nowMs + held.pauseMs;
    held.pauseMs = Math.min(2 * held.pauseMs, longestPauseMs);
  };
  const proceed = (held: Held<Entry>) => {
    if (held.isTrying || held.entries.length === 0 || performance.now() < held.nextTryMs) return;
    held.isTrying = true;
    due.push(held);
    startTries();
  };
  const startTries = () => {
    while (tries.size < maxTriesAtOnce) {
      const held = due.shift();
      if (!held) return;
      const run = tryOnce(held).finally(() => {
        tries.delete(run);
        startTries();
      });
      tries.add(run);
    }
  };
  const tryOnce = async (held: Held<Entry>) => {
    const batch = take(held, held.trySize);
    const locked: Entry[] = [];
    const resolved = await settle(batch, {
      onLocked(left) {
        locked.push(...left);
      },
    });
    held.isTrying = false;
    if (locked.length > 0) {
      held.trySize = Math.ceil(held.trySize / 2);
      noteLocked(held);
      // Behind the others, so that these are tried even if the first one stays locked.
      for (const entry of locked) put(held, entry, canStay(held, entry));
    } else if (resolved > 0) {
      held.trySize = Math.min(2 * held.trySize, maxBatchSize);
      held.pauseMs = firstPauseMs;
      // Most probably the lock is gone; if not, all others wait for it just once more.
      const soonMs = performance.now() + knownAfterSuccessMs;
      held.knownUntilMs = Math.min(held.knownUntilMs, soonMs);
    }
    proceed(held);
  };
  const tick = () => {
    for (const held of users.values()) {
      sift(held);
      proceed(held);
    }
    if (size > 0) return;
    clearInterval(ticker);
    ticker = undefined;
  };
  const isKnown = (held: Held<Entry>) =>
    held.isTrying || held.entries.length > 0 || performance.now() < held.knownUntilMs;

  /** Undefined if too many users are known already. */
  const remember = (user: string): Held<Entry> | undefined => {
    if (users.size >= maxUsersKnown) {
      for (const held of users.values()) if (!isKnown(held)) users.delete(held.user);
      if (users.size >= maxUsersKnown) return undefined;
    }
    const held = {
      user,
      entries: [],
      trySize: 1,
      pauseMs: firstPauseMs,
      nextTryMs: 0,
      knownUntilMs: 0,
      isTrying: false,
    };
    users.set(user, held);
    return held;
  };

  return {
    get size() {
      return size;
    },
    sizeOf: (user) => users.get(user)?.entries.length ?? 0,
    holds(user) {
      const held = users.get(user);
      if (held === undefined) return false;
      if (isKnown(held)) return true;
      users.delete(user);
      return false;
    },
    lock(user, entries) {
      const held = users.get(user) ?? remember(user);
      if (held) noteLocked(held);
      for (const entry of entries) {
        if (held) put(held, entry, canStay(held, entry));
        else entry.reject(new UserLockedError(user));
      }
    },
    add(entry) {
      const held = users.get(entry.user);
      assert(held, "the user is not held aside");
      put(held, entry, canStay(held, entry) || isDue(held));
      proceed(held);
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearInterval(ticker);
      for (const held of users.values()) sift(held);
      await Promise.all(tries);
    },
  };
}
