import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type DeadLetter,
  DeadLetterSchema,
  type DeadLetterState,
  type GroupDeadLettersResponseSchema,
} from "@settle/gen/ops/v1/dead_letters_pb";
import type { Database } from "../database/database.ts";
import type { Page } from "../rpc/page-token.ts";

const maxGroups = 1_000;

/** A dead letter as it is stored, without its content. */
export type DeadLetterRow = {
  readonly id: string;
  readonly event_id: string;
  readonly type: string;
  readonly reason: string;
  readonly state: DeadLetterState;
  readonly attempts: number;
  readonly first_ms: string;
  readonly last_ms: string;
  readonly user_id: string;
  readonly order_id: string;
};

const columns = `id, event_id, type, reason, state, attempts, user_id, order_id,
  (extract(epoch FROM first_time) * 1000)::bigint AS first_ms,
  (extract(epoch FROM last_time) * 1000)::bigint AS last_ms`;

/** What dead letters are selected by; empty or absent fields select all. */
export type DeadLetterFilter = {
  readonly type: string;
  readonly reason: string;
  readonly state: DeadLetterState;
  readonly deadAfter?: Timestamp | undefined;
  readonly deadBefore?: Timestamp | undefined;
};

/** SQL for the filter, whose parameters {@link filterValues} are the first five. */
export const filterCondition = `
  ($1 = '' OR type = $1) AND ($2 = '' OR reason = $2) AND ($3 = 0 OR state = $3)
  AND ($4::bigint IS NULL OR last_time >= to_timestamp($4 / 1000.0))
  AND ($5::bigint IS NULL OR last_time < to_timestamp($5 / 1000.0))`;

/** Returns the parameters of {@link filterCondition}. */
export function filterValues(filter: DeadLetterFilter): readonly unknown[] {
  const { type, reason, state, deadAfter, deadBefore } = filter;
  const msOf = (time: Timestamp | undefined) => (time ? timestampMs(time) : null);
  return [type, reason, state, msOf(deadAfter), msOf(deadBefore)];
}

/** Reads the rows of a page and one more, newest first. */
export function readLetters(
  database: Pick<Database, "read">,
  filter: DeadLetterFilter,
  { limit, after }: Page,
): Promise<DeadLetterRow[]> {
  return database.read<DeadLetterRow>(
    `SELECT ${columns} FROM dead_letters
     WHERE ${filterCondition} AND ($6::uuid IS NULL OR id < $6)
     ORDER BY id DESC LIMIT ${limit + 1}`,
    [...filterValues(filter), after ?? null],
  );
}

/** Reads a dead letter with its content; undefined if there is none. */
export async function readLetter(database: Pick<Database, "read">, id: string) {
  const [row] = await database.read<
    DeadLetterRow & { readonly headers: Record<string, never>; readonly body: Uint8Array }
  >(`SELECT ${columns}, headers, body FROM dead_letters WHERE id = $1`, [id]);
  return row;
}

/** Reads the groups of the dead letters in a state. */
export async function readGroups(
  database: Pick<Database, "read">,
  state: DeadLetterState,
): Promise<MessageInitShape<typeof GroupDeadLettersResponseSchema>> {
  const rows = await database.read<{
    reason: string;
    type: string;
    count: string;
    first_ms: string;
    last_ms: string;
  }>(
    `SELECT reason, type, count(*) AS count,
            (extract(epoch FROM min(first_time)) * 1000)::bigint AS first_ms,
            (extract(epoch FROM max(last_time)) * 1000)::bigint AS last_ms
     FROM dead_letters WHERE state = $1
     GROUP BY reason, type ORDER BY 3 DESC, 1, 2 LIMIT ${maxGroups}`,
    [state],
  );
  return {
    groups: rows.map(({ reason, type, count, first_ms: first, last_ms: last }) => ({
      reason,
      type,
      count: BigInt(count),
      firstTime: timestampFromMs(Number(first)),
      lastTime: timestampFromMs(Number(last)),
    })),
  };
}

/** Returns the message of a row. */
export function letterMessage(row: DeadLetterRow): DeadLetter {
  return create(DeadLetterSchema, {
    id: row.id,
    eventId: row.event_id,
    type: row.type,
    reason: row.reason,
    state: row.state,
    attempts: row.attempts,
    firstTime: timestampFromMs(Number(row.first_ms)),
    lastTime: timestampFromMs(Number(row.last_ms)),
    userId: row.user_id,
    orderId: row.order_id,
  });
}
