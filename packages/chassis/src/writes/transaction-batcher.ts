import type { Database, Transaction } from "../database/database.ts";
import { isSharedFailure } from "../database/database-failure.ts";
import { type Batcher, createBatcher } from "./batcher.ts";

const maxBatchSize = 128;
const defaultMaxWaiting = 10_000;

/**
 * Batches items like {@link createBatcher} and runs each batch as one transaction. A batch that
 * fails is split, unless the database itself is unavailable or slow.
 */
export function createTransactionBatcher<Item, Result>(options: {
  readonly database: Database;
  /** Returns one result per item, in order. */
  readonly run: (transaction: Transaction, items: readonly Item[]) => Promise<readonly Result[]>;
  /** Default 10,000. */
  readonly maxWaiting?: number;
}): Batcher<Item, Result> {
  const { database, run, maxWaiting = defaultMaxWaiting } = options;
  return createBatcher({
    maxBatchSize,
    maxWaiting,
    run: (items: readonly Item[]) => database.transaction((transaction) => run(transaction, items)),
    isShared: isSharedFailure,
  });
}
