import { eventually } from "@settle/chassis/testing";
import type { PaymentsSetup } from "./payments-setup.ts";

/** A transaction that has done its work and is held before its commit. */
export type Held = AsyncDisposable & {
  /** Lets it commit; resolves when it has. */
  release(): Promise<void>;
};

/** Starts `work` and returns once it waits for what it was given, which is until the release. */
export async function holding(
  work: (hold: () => Promise<void>) => Promise<unknown>,
): Promise<Held> {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const done = work(() => {
    reached.resolve();
    return released.promise;
  });
  await Promise.race([reached.promise, done]);
  const release = async () => {
    released.resolve();
    await done;
  };
  return { release, [Symbol.asyncDispose]: release };
}

/** Resolves once as many transactions as that wait for a lock in this database, by default one. */
export async function untilBlocked(
  { database }: Pick<PaymentsSetup, "database">,
  count = 1,
): Promise<void> {
  await eventually("a transaction waits for a lock", async () => {
    const [row] = await database.query<{ blocked: boolean }>(
      `SELECT count(*) >= $1 AS blocked FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      [count],
    );
    return row?.blocked || undefined;
  });
}
