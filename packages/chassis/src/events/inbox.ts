import type { Logger } from "pino";
import type { CheckedClock } from "../base/clock.ts";
import { type Loop, startLoop } from "../base/loop.ts";
import { firstIdAt, timeOfId } from "../contract/message-id.ts";
import type { Database, Transaction } from "../database/database.ts";

/** The inbox table, for a service's first migration; {@link maintainInbox} adds its partitions. */
export const inboxTable = `
  CREATE TABLE inbox (
    message_id uuid PRIMARY KEY
  ) PARTITION BY RANGE (message_id);
`;

const dayMs = 86_400_000;
const daysKept = 30;
const daysAhead = 3;
const maintenanceIntervalMs = 3_600_000;
const otherDays = "inbox_other_days";
const maintenanceLockTimeoutMs = 2_000;

/**
 * Inserts the message ids into the inbox and returns those that were not there yet. It must be the
 * first statement of the transaction: a concurrent copy of a message then waits here until this
 * transaction ends. `ids` must not contain duplicates.
 */
export async function claimMessages(
  transaction: Transaction,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await transaction.query<{ message_id: string }>(
    `INSERT INTO inbox (message_id)
     SELECT id FROM unnest($1::uuid[]) AS id ORDER BY id
     ON CONFLICT DO NOTHING RETURNING message_id`,
    [ids],
  );
  return new Set(rows.map((row) => row.message_id));
}

/**
 * Removes ids that this transaction inserted, so that the messages are new when delivered again.
 */
export async function releaseMessages(
  transaction: Transaction,
  ids: readonly string[],
): Promise<void> {
  await transaction.query("DELETE FROM inbox WHERE message_id = ANY($1::uuid[])", [ids]);
}

/**
 * Returns why a message id cannot be deduplicated, or undefined if it can: it must be a UUIDv7 that
 * is not older than what the inbox remembers. An id from the future is deduplicated like any other:
 * it only says that a clock is wrong, here or where the message was made.
 */
export function refusalOfId(
  id: string | undefined,
  clock: Pick<CheckedClock, "earliestMs">,
): string | undefined {
  const timeMs = id === undefined ? undefined : timeOfId(id);
  if (timeMs === undefined) return "message_id is not a UUIDv7";
  if (timeMs < oldestKeptMs(clock)) return `message_id is older than ${daysKept} days`;
  return undefined;
}

/**
 * Creates the inbox's daily partitions from `daysKept` days ago to `daysAhead` days ahead, and one
 * for the ids of all other days; drops what is older than `daysKept` days. Can be repeated, and run
 * by several replicas at once.
 */
export async function maintainInbox(
  database: Database,
  clock: Pick<CheckedClock, "nowMs" | "earliestMs">,
): Promise<void> {
  const today = startOfDay(clock.nowMs());
  const oldestMs = oldestKeptMs(clock);
  const outdated = await database.transaction(async ({ query }) => {
    await query(`SET LOCAL lock_timeout = ${maintenanceLockTimeoutMs}`, []);
    await query("SELECT pg_advisory_xact_lock(hashtext('inbox partitions'))", []);
    const rows = await query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'inbox'::regclass`,
      [],
    );
    const existing = new Set(rows.map(({ name }) => name));
    const attachDay = async (name: string, first: string, next: string) => {
      await query(`CREATE TABLE ${name} (LIKE inbox INCLUDING INDEXES)`, []);
      if (existing.has(otherDays)) {
        // Who is just inserting an id of this day is done, or tries again and finds its partition.
        await query(`LOCK TABLE ${otherDays} IN ACCESS EXCLUSIVE MODE`, []);
        await query(
          `WITH moved AS (
             DELETE FROM ${otherDays} WHERE message_id >= $1 AND message_id < $2
             RETURNING message_id
           )
           INSERT INTO ${name} (message_id) SELECT message_id FROM moved`,
          [first, next],
        );
      }
      // Attaching does not wait for those who read and write the inbox; creating it as a partition
      // would, and they for it.
      await query(
        `ALTER TABLE inbox ATTACH PARTITION ${name} FOR VALUES FROM ('${first}') TO ('${next}')`,
        [],
      );
    };
    for (let day = -daysKept; day <= daysAhead; day += 1) {
      const fromMs = today + day * dayMs;
      const name = partitionOf(fromMs);
      if (!existing.has(name)) await attachDay(name, firstIdAt(fromMs), firstIdAt(fromMs + dayMs));
    }
    if (existing.has(otherDays)) {
      await query(`DELETE FROM ${otherDays} WHERE message_id < $1`, [firstIdAt(oldestMs)]);
    } else {
      await query(`CREATE TABLE ${otherDays} (LIKE inbox INCLUDING INDEXES)`, []);
      await query(`ALTER TABLE inbox ATTACH PARTITION ${otherDays} DEFAULT`, []);
    }
    return [...existing].filter((name) => name < partitionOf(oldestMs));
  });
  for (const name of outdated) {
    await database.transaction(async ({ query }) => {
      await query(`SET LOCAL lock_timeout = ${maintenanceLockTimeoutMs}`, []);
      await query(`DROP TABLE IF EXISTS ${name}`, []);
    });
  }
}

/** Runs {@link maintainInbox} every hour. Call that once before the first message. */
export function keepInboxPartitions(options: {
  readonly database: Database;
  readonly clock: CheckedClock;
  readonly log: Logger;
}): Loop {
  const { database, clock, log } = options;
  return startLoop({
    name: "inbox partitions",
    intervalMs: maintenanceIntervalMs,
    runOnce: () => maintainInbox(database, clock),
    log,
  });
}

/** The time of the oldest ids that the inbox remembers. */
function oldestKeptMs(clock: Pick<CheckedClock, "earliestMs">): number {
  return startOfDay(clock.earliestMs()) - daysKept * dayMs;
}

function startOfDay(timeMs: number): number {
  return timeMs - (timeMs % dayMs);
}

function partitionOf(timeMs: number): string {
  return `inbox_${new Date(timeMs).toISOString().slice(0, 10).replaceAll("-", "_")}`;
}
