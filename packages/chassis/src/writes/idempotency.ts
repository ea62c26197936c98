import { hash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import type { CheckedClock } from "../base/clock.ts";
import { type Loop, startLoop } from "../base/loop.ts";
import type { Database, Transaction } from "../database/database.ts";
import { transactionConflict } from "../database/database-failure.ts";

/** The table of the idempotency keys, for a service's first migration. */
export const idempotencyKeysTable = `
  CREATE TABLE idempotency_keys (
    key text NOT NULL,
    user_id text NOT NULL,
    method text NOT NULL,
    request_hash bytea NOT NULL,
    response bytea,
    create_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, user_id, method)
  );
  CREATE INDEX idempotency_keys_create_time ON idempotency_keys (create_time);
`;

const keptMs = 86_400_000;
const expiryIntervalMs = 60_000;
const expiryBatchSize = 5_000;
const maxExpiryBatches = 100;

/**
 * Identifies a call that changes data, so that it can be repeated. Keys are per caller and method.
 */
export type KeyedCall = {
  readonly key: string;
  /** The caller, who may differ from the user that the call is about. */
  readonly userId: string;
  readonly method: string;
  readonly requestHash: Uint8Array;
};

/** Returns the identity of a call: two calls are the same if key, user and method are. */
export function identityOf(call: Pick<KeyedCall, "key" | "userId" | "method">): string {
  return JSON.stringify([call.key, call.userId, call.method]);
}

/** The request and the response of the first call with a key. */
export type StoredAnswer = { readonly requestHash: Uint8Array; readonly response: Uint8Array };

/** Returns the hash that tells different requests apart. */
export function requestHashOf<Schema extends DescMessage>(
  schema: Schema,
  request: MessageShape<Schema>,
): Uint8Array {
  return hash("sha256", toBinary(schema, request), "buffer");
}

/**
 * Claims the key of every call. It must be the first statement of their common transaction. Returns
 * for each call the answer that an earlier transaction stored under its key, or undefined if the
 * call is new and must take effect. A concurrent call with the same key waits here until this
 * transaction ends. `calls` must not contain the same key twice.
 */
export async function claimKeys(
  transaction: Transaction,
  calls: readonly KeyedCall[],
): Promise<readonly (StoredAnswer | undefined)[]> {
  const columns = [
    calls.map((call) => call.key),
    calls.map((call) => call.userId),
    calls.map((call) => call.method),
  ];
  const claimed = await transaction.query<KeyColumns>(
    `INSERT INTO idempotency_keys (key, user_id, method, request_hash)
     SELECT key, user_id, method, request_hash
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
       AS call (key, user_id, method, request_hash)
     ORDER BY key, user_id, method
     ON CONFLICT DO NOTHING RETURNING key, user_id, method`,
    [...columns, calls.map((call) => call.requestHash)],
  );
  if (claimed.length === calls.length) return calls.map(() => undefined);
  const fresh = new Set(claimed.map(identityOfRow));
  const stored = await transaction.query<
    KeyColumns & { request_hash: Uint8Array; response: Uint8Array }
  >(
    `SELECT key, user_id, method, request_hash, response FROM idempotency_keys
     JOIN unnest($1::text[], $2::text[], $3::text[]) AS call (key, user_id, method)
     USING (key, user_id, method)`,
    columns,
  );
  const answers = new Map(stored.map((row) => [identityOfRow(row), row]));
  return calls.map((call) => {
    const identity = identityOf(call);
    if (fresh.has(identity)) return undefined;
    const row = answers.get(identity);
    // It existed a moment ago: it has just expired, or its call was refused.
    if (!row) throw transactionConflict(`the idempotency key ${call.key} no longer exists`);
    return { requestHash: row.request_hash, response: row.response };
  });
}

type KeyColumns = { readonly key: string; readonly user_id: string; readonly method: string };

function identityOfRow({ key, user_id, method }: KeyColumns): string {
  return identityOf({ key, userId: user_id, method });
}

/** Stores the answers of calls whose keys this same transaction has claimed. */
export async function storeAnswers(
  transaction: Transaction,
  answers: readonly (KeyedCall & { readonly response: Uint8Array })[],
): Promise<void> {
  if (answers.length === 0) return;
  await transaction.query(
    `UPDATE idempotency_keys AS stored SET response = answer.response
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
       AS answer (key, user_id, method, response)
     WHERE stored.key = answer.key AND stored.user_id = answer.user_id
       AND stored.method = answer.method`,
    [
      answers.map((answer) => answer.key),
      answers.map((answer) => answer.userId),
      answers.map((answer) => answer.method),
      answers.map((answer) => answer.response),
    ],
  );
}

/** Releases the keys of refused calls, which this same transaction has claimed. */
export async function releaseKeys(
  transaction: Transaction,
  calls: readonly KeyedCall[],
): Promise<void> {
  if (calls.length === 0) return;
  await transaction.query(
    `DELETE FROM idempotency_keys AS stored
     USING unnest($1::text[], $2::text[], $3::text[]) AS call (key, user_id, method)
     WHERE stored.key = call.key AND stored.user_id = call.user_id AND stored.method = call.method`,
    [
      calls.map((call) => call.key),
      calls.map((call) => call.userId),
      calls.map((call) => call.method),
    ],
  );
}

/** Deletes keys that are older than a day by every clock, a limited number per minute. */
export function expireKeys(options: {
  readonly database: Database;
  readonly clock: Pick<CheckedClock, "earliestMs">;
  readonly log: Logger;
}): Loop {
  const { database, clock, log } = options;
  const runOnce = async () => {
    for (let batch = 0; batch < maxExpiryBatches; batch += 1) {
      const rows = await database.query(
        `DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM idempotency_keys
           WHERE create_time <
             least(now(), to_timestamp($3 / 1000.0)) - $1 * interval '1 millisecond'
           ORDER BY create_time LIMIT $2 FOR UPDATE SKIP LOCKED
         )) RETURNING 1`,
        [keptMs, expiryBatchSize, clock.earliestMs()],
      );
      if (rows.length < expiryBatchSize) return;
    }
  };
  return startLoop({ name: "idempotency keys", intervalMs: expiryIntervalMs, runOnce, log });
}
