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
 * Returns for each call the answer that an earlier transaction has stored under its key, or
 * undefined if there is none and the call must take effect. It waits for nobody: a concurrent call
 * with the same key is found by {@link storeAnswers}. `calls` must not contain the same key twice.
 */
export async function findAnswers(
  transaction: Transaction,
  calls: readonly KeyedCall[],
): Promise<readonly (StoredAnswer | undefined)[]> {
  const rows = await transaction.query<
    KeyColumns & { request_hash: Uint8Array; response: Uint8Array }
  >(
    `SELECT key, user_id, method, request_hash, response FROM idempotency_keys
     JOIN unnest($1::text[], $2::text[], $3::text[]) AS call (key, user_id, method)
     USING (key, user_id, method)`,
    columnsOf(calls),
  );
  const found = new Map(rows.map((row) => [identityOfRow(row), row]));
  return calls.map((call) => {
    const row = found.get(identityOf(call));
    return row && { requestHash: row.request_hash, response: row.response };
  });
}

/**
 * Stores the answers of calls that take effect in this same transaction, with their keys. It must
 * be the last statement: a concurrent call with the same key waits here until this transaction
 * ends. Throws a conflict, so that the transaction is retried, if such a call has committed since
 * {@link findAnswers} looked.
 */
export async function storeAnswers(
  transaction: Transaction,
  answers: readonly (KeyedCall & { readonly response: Uint8Array })[],
): Promise<void> {
  if (answers.length === 0) return;
  const stored = await transaction.query(
    `INSERT INTO idempotency_keys (key, user_id, method, request_hash, response)
     SELECT key, user_id, method, request_hash, response
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])
       AS answer (key, user_id, method, request_hash, response)
     ORDER BY key, user_id, method
     ON CONFLICT DO NOTHING RETURNING 1`,
    [
      ...columnsOf(answers),
      answers.map((answer) => answer.requestHash),
      answers.map((answer) => answer.response),
    ],
  );
  if (stored.length < answers.length) throw usedMeanwhile();
}

/** Throws a conflict if one of the keys has got an answer since {@link findAnswers} looked. */
export async function checkUnused(
  transaction: Transaction,
  calls: readonly KeyedCall[],
): Promise<void> {
  if (calls.length === 0) return;
  const answers = await findAnswers(transaction, calls);
  if (answers.some((answer) => answer !== undefined)) throw usedMeanwhile();
}

const usedMeanwhile = () =>
  transactionConflict("a concurrent call has used an idempotency key of this batch");

type KeyColumns = { readonly key: string; readonly user_id: string; readonly method: string };

function columnsOf(calls: readonly KeyedCall[]): readonly (readonly string[])[] {
  return [
    calls.map((call) => call.key),
    calls.map((call) => call.userId),
    calls.map((call) => call.method),
  ];
}

function identityOfRow({ key, user_id, method }: KeyColumns): string {
  return identityOf({ key, userId: user_id, method });
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
