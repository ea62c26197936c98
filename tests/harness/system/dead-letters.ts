import type { Pool, PoolClient } from "pg";
import type { Event } from "./batches.ts";

/** A dead letter in the table of a service. */
export type StoredLetter = Event & {
  readonly id: string;
  readonly state: number;
  readonly reason: string;
  readonly attempts: number;
  readonly body: Buffer;
};

/** Reads the dead letters of a service, oldest first. */
export async function readDeadLetters(database: Pool | PoolClient): Promise<StoredLetter[]> {
  const { rows } = await database.query(
    `SELECT id, event_id AS "messageId", type, body, headers, state, reason, attempts
     FROM dead_letters ORDER BY id`,
  );
  return rows;
}
