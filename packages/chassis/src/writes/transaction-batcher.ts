import type { Database, Transaction } from "../database/database.ts";
import { failureOf, isSharedFailure } from "../database/database-failure.ts";
import { batchDuration, batchItems, setAside } from "../metrics/metrics.ts";
import { type Batcher, createBatcher } from "./batcher.ts";

const defaultMaxBatchSize = 128;
const defaultMaxWaiting = 10_000;
const defaultMaxWaitingPerUser = 1_000;
const briefLockTimeoutMs = 10;

/**
 * Batches items like {@link createBatcher} and runs each batch as one transaction. A batch that
 * fails is split, unless the database itself is unavailable or slow.
 */
export function createTransactionBatcher<Item, Result>(options: {
  readonly database: Database;
  /** Names what is batched, in metrics: a method, or `events`. */
  readonly kind: string;
  /** Returns one result per item, in order. */
  readonly run: (transaction: Transaction, items: readonly Item[]) => Promise<readonly Result[]>;
  readonly userOf: (item: Item) => string;
  /**
   * The table with a row per user, keyed by `user_id`, that `run` locks. With it, locked users are
   * found in one step.
   */
  readonly usersTable?: string | undefined;
  /** Default 128. */
  readonly maxBatchSize?: number;
  /** Default 10,000. */
  readonly maxWaiting?: number;
  /** Default 1,000. */
  readonly maxWaitingPerUser?: number;
  readonly order?: "in turn" | "random";
}): Batcher<Item, Result> {
  const { database, kind, run, userOf, usersTable, order = "in turn" } = options;
  const {
    maxBatchSize = defaultMaxBatchSize,
    maxWaiting = defaultMaxWaiting,
    maxWaitingPerUser = defaultMaxWaitingPerUser,
  } = options;
  setAside.inc({ kind }, 0);
  return createBatcher({
    maxBatchSize,
    maxWaiting,
    maxWaitingPerUser,
    userOf,
    order,
    async run(items: readonly Item[], isBrief) {
      const measured = batchDuration.startTimer({ kind });
      let result = "failed";
      try {
        const results = await database.transaction(async (transaction) => {
          if (isBrief) {
            await transaction.query(`SET LOCAL lock_timeout = ${briefLockTimeoutMs}`, []);
          }
          return await run(transaction, items);
        });
        result = "ok";
        batchItems.observe({ kind }, items.length);
        return results;
      } finally {
        measured({ result });
      }
    },
    isShared: isSharedFailure,
    locks: {
      isLocked: (error) => failureOf(error) === "locked",
      findLocked: async (users) => (usersTable ? findLocked(database, usersTable, users) : []),
      onSetAside: () => setAside.inc({ kind }),
    },
  });
}

async function findLocked(database: Database, table: string, users: readonly string[]) {
  // Does not wait for anybody, and releases what it locks at once.
  const rows = await database.query<{ user_id: string }>(
    `WITH free AS MATERIALIZED (
       SELECT user_id FROM ${table} WHERE user_id = ANY($1::text[])
       FOR NO KEY UPDATE SKIP LOCKED
     )
     SELECT user_id FROM ${table}
     WHERE user_id = ANY($1::text[]) AND user_id NOT IN (SELECT user_id FROM free)`,
    [users],
  );
  return rows.map((row) => row.user_id);
}
