import type { Logger } from "pino";
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
 * Returns why a message id cannot be deduplicated, or undefined if it can: it must be a UUIDv7, not
 * older than the oldest partition and not from the future.
 */
export function refusalOfId(id: string | undefined, nowMs: number): string | undefined {
  const timeMs = id === undefined ? undefined : timeOfId(id);
  if (timeMs === undefined) return "message_id is not a UUIDv7";
  if (timeMs < startOfDay(nowMs) - daysKept * dayMs)
    return `message_id is older than ${daysKept} days`;
  if (timeMs >= startOfDay(nowMs) + daysAhead * dayMs) return "message_id is from the future";
  return undefined;
}

/**
 * Creates the inbox's daily partitions from `daysKept` days ago to `daysAhead` days ahead, by the
 * database's clock, and drops older ones. Can be repeated, and run by several replicas at once.
 */
export async function maintainInbox(database: Database): Promise<void> {
  const outdated = await database.transaction(async ({ query }) => {
    await query("SELECT pg_advisory_xact_lock(hashtext('inbox partitions'))", []);
    const [row] = await query<{ now_ms: string; names: string[] }>(
      `SELECT (extract(epoch FROM now()) * 1000)::bigint AS now_ms, ARRAY(
         SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'inbox'::regclass
       ) AS names`,
      [],
    );
    const today = startOfDay(Number(row?.now_ms));
    const existing = new Set(row?.names);
    for (let day = -daysKept; day <= daysAhead; day += 1) {
      const fromMs = today + day * dayMs;
      const name = partitionOf(fromMs);
      if (existing.delete(name)) continue;
      // Attaching does not wait for those who read and write the inbox; creating it as a partition
      // would, and they for it.
      await query(`CREATE TABLE ${name} (LIKE inbox INCLUDING INDEXES)`, []);
      await query(
        `ALTER TABLE inbox ATTACH PARTITION ${name}
         FOR VALUES FROM ('${firstIdAt(fromMs)}') TO ('${firstIdAt(fromMs + dayMs)}')`,
        [],
      );
    }
    return [...existing].filter((name) => name < partitionOf(today));
  });
  for (const name of outdated) await database.query(`DROP TABLE IF EXISTS ${name}`, []);
}

/** Runs {@link maintainInbox} every hour. Call that once before the first message. */
export function keepInboxPartitions(options: {
  readonly database: Database;
  readonly log: Logger;
}): Loop {
  return startLoop({
    name: "inbox partitions",
    intervalMs: maintenanceIntervalMs,
    runOnce: () => maintainInbox(options.database),
    log: options.log,
  });
}

function startOfDay(timeMs: number): number {
  return timeMs - (timeMs % dayMs);
}

function partitionOf(timeMs: number): string {
  return `inbox_${new Date(timeMs).toISOString().slice(0, 10).replaceAll("-", "_")}`;
}
