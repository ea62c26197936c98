import type { BatchEntry, SettleBatch } from "./batch-entry.ts";

// Halving 128 users until one is alone takes seven failures.
const maxBriefFailures = 16;

/**
 * Returns what to do with a batch that failed because a lock was not released in time: finds the
 * users whose rows other transactions hold, passes their entries to `setAside`, and runs the rest.
 *
 * `findLocked` looks at the rows of all users at once. Some of them may be locked by a transaction
 * that is just about to commit, so unless it names a single user, those named wait once more and
 * are set aside only if they are named again. If it names nobody, the lock is on another kind of
 * row, such as an idempotency key: then the batch is halved, with brief waits, until one user is
 * alone.
 *
 * So a batch waits for locks at most three times, and otherwise briefly, a limited number of times.
 * Entries that have not run by then are passed to `putBack`, for the next batch.
 */
export function createLockSearch<Item, Result>(options: {
  readonly settle: SettleBatch<Item, Result>;
  readonly findLocked: (users: readonly string[]) => Promise<readonly string[]>;
  readonly setAside: (entries: readonly BatchEntry<Item, Result>[]) => void;
  readonly putBack: (entries: readonly BatchEntry<Item, Result>[]) => void;
}): (batch: readonly BatchEntry<Item, Result>[]) => Promise<void> {
  const { settle, findLocked, setAside, putBack } = options;
  type Batch = readonly BatchEntry<Item, Result>[];

  const halve = async (batch: Batch, search: { failures: number }): Promise<void> => {
    const users = usersOf(batch);
    const first = new Set(users.slice(0, Math.ceil(users.length / 2)));
    for (const part of split(batch, first)) {
      if (search.failures >= maxBriefFailures) putBack(part);
      else {
        await settle(part, {
          isBrief: true,
          onLocked(locked) {
            search.failures += 1;
            return usersOf(locked).length === 1 ? setAside(locked) : halve(locked, search);
          },
        });
      }
    }
  };

  const isolate = async (batch: Batch, named?: ReadonlySet<string>): Promise<void> => {
    const users = usersOf(batch);
    if (users.length === 1) return setAside(batch);
    let locked: ReadonlySet<string>;
    try {
      locked = new Set(await findLocked(users));
    } catch (error) {
      // Not even a look is possible: the whole table is locked, or the database is unavailable.
      for (const { reject } of batch) reject(error);
      return;
    }
    if (locked.size === 0) return await halve(batch, { failures: 0 });
    const [held, others] = split(batch, locked);
    const isCertain = locked.size === 1 || named !== undefined;
    if (isCertain) setAside(held);
    await settle(others, { onLocked: putBack });
    if (!isCertain) await settle(held, { onLocked: (left) => isolate(left, locked) });
  };
  return (batch) => isolate(batch);
}

function usersOf(batch: readonly BatchEntry<unknown, never>[]): readonly string[] {
  return [...new Set(batch.map(({ user }) => user))];
}

/** Splits the batch into the entries of `users` and the others. */
function split<Entry extends { readonly user: string }>(
  batch: readonly Entry[],
  users: ReadonlySet<string>,
): readonly [readonly Entry[], readonly Entry[]] {
  return [
    batch.filter(({ user }) => users.has(user)),
    batch.filter(({ user }) => !users.has(user)),
  ];
}
