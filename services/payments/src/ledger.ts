import assert from "node:assert/strict";
import type { Transaction } from "@settle/chassis/database/database";
import { LedgerEntryKindSchema } from "@settle/gen/payments/v1/account_pb";
import { largestMinor } from "./account.entity.ts";
import { type Movement, systemAccountOf } from "./ledger.entity.ts";
import { movements as booked } from "./payment-metrics.ts";

/** An account whose row is locked. The rest of the transaction changes it in place. */
export type LockedAccount = {
  readonly userId: string;
  readonly currency: string;
  readonly createTime: Date;
  balanceMinor: bigint;
  entryCount: bigint;
};

/**
 * Locks the accounts of the users, in the order of their ids, and returns those that exist, in
 * their locked state.
 */
export async function lockAccounts(
  transaction: Transaction,
  userIds: readonly string[],
): Promise<Map<string, LockedAccount>> {
  const rows = await transaction.query<{
    user_id: string;
    currency: string;
    balance_minor: string;
    entry_count: string;
    created_ms: string;
  }>(
    `SELECT user_id, currency, balance_minor, entry_count,
            (extract(epoch FROM create_time) * 1000)::bigint AS created_ms
     FROM accounts WHERE user_id = ANY($1::text[]) ORDER BY user_id FOR NO KEY UPDATE`,
    [[...new Set(userIds)]],
  );
  return new Map(
    rows.map((row) => [
      row.user_id,
      {
        userId: row.user_id,
        currency: row.currency,
        createTime: new Date(Number(row.created_ms)),
        balanceMinor: BigInt(row.balance_minor),
        entryCount: BigInt(row.entry_count),
      },
    ]),
  );
}

/**
 * Changes the balance of a locked account by `amountMinor` and returns the movement to book. Throws
 * if the balance would exceed {@link largestMinor}.
 */
export function move(
  account: LockedAccount,
  movement: Pick<Movement, "id" | "kind" | "amountMinor" | "orderId">,
): Movement {
  const balanceMinor = account.balanceMinor + movement.amountMinor;
  assert(balanceMinor <= largestMinor, `the balance of user ${account.userId} would be too large`);
  account.balanceMinor = balanceMinor;
  account.entryCount += 1n;
  return {
    ...movement,
    userId: account.userId,
    currency: account.currency,
    sequence: account.entryCount,
    balanceAfterMinor: account.balanceMinor,
  };
}

/**
 * Books the movements, both legs of each, and stores the resulting balances, in one statement. The
 * movements must be in the order in which {@link move} returned them.
 */
export async function bookMovements(
  transaction: Transaction,
  movements: readonly Movement[],
  bookTime: Date,
): Promise<void> {
  if (movements.length === 0) return;
  transaction.afterCommit(() => {
    for (const { kind } of movements)
      booked.inc({ kind: LedgerEntryKindSchema.value[kind]?.localName ?? "" });
  });
  const last = new Map(movements.map((movement) => [movement.userId, movement]));
  const changed = [...last.values()];
  await transaction.query(
    `WITH movement AS (
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::bigint[],
                            $6::text[], $7::bigint[], $8::bigint[], $9::uuid[])
         AS movement (id, user_id, system_account, kind, amount_minor, currency, sequence,
                      balance_after_minor, order_id)
     ), balances AS (
       UPDATE accounts SET balance_minor = changed.balance_minor,
         entry_count = changed.entry_count, update_time = $13
       FROM unnest($10::text[], $11::bigint[], $12::bigint[])
         AS changed (user_id, balance_minor, entry_count)
       WHERE accounts.user_id = changed.user_id
     )
     INSERT INTO ledger_entries (movement_id, account, kind, amount_minor, currency, sequence,
                                 balance_after_minor, order_id, create_time)
     SELECT id, user_id, kind, amount_minor, currency, sequence, balance_after_minor, order_id, $13
     FROM movement
     UNION ALL
     SELECT id, system_account, kind, -amount_minor, currency, NULL, NULL, order_id, $13
     FROM movement`,
    [
      movements.map((movement) => movement.id),
      movements.map((movement) => movement.userId),
      movements.map((movement) => systemAccountOf(movement.kind, movement.currency)),
      movements.map((movement) => movement.kind),
      movements.map((movement) => movement.amountMinor),
      movements.map((movement) => movement.currency),
      movements.map((movement) => movement.sequence),
      movements.map((movement) => movement.balanceAfterMinor),
      movements.map((movement) => movement.orderId),
      changed.map((movement) => movement.userId),
      changed.map((movement) => movement.balanceAfterMinor),
      changed.map((movement) => movement.sequence),
      bookTime,
    ],
  );
}
