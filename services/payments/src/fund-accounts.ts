import type { Transaction } from "@settle/chassis/database/database";
import { answerOnce, type Outcome } from "@settle/chassis/writes/answer-once";
import type { KeyedCall } from "@settle/chassis/writes/idempotency";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { type Account, AccountSchema, LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import { accountMessage, maxBalanceMinor } from "./account.entity.ts";
import type { Movement } from "./ledger.entity.ts";
import { bookMovements, type LockedAccount, lockAccounts, move } from "./ledger.ts";

/** One call of CreateAccount. */
export type AccountCreation = {
  readonly call: KeyedCall;
  /** The user who gets the account. */
  readonly userId: string;
  readonly currency: string;
  readonly createTime: Date;
};

/** One call of Deposit. */
export type DepositCall = {
  readonly call: KeyedCall;
  /** The user whose account receives the deposit. */
  readonly userId: string;
  readonly movementId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
};

/** Creates the accounts that do not exist yet, all in `transaction`. */
export async function createAccounts(
  transaction: Transaction,
  creations: readonly AccountCreation[],
): Promise<readonly Outcome<Account>[]> {
  return answerOnce(transaction, AccountSchema, creations, async (fresh) => {
    const inserted = await transaction.query<{ user_id: string }>(
      `INSERT INTO accounts (user_id, currency, create_time, update_time)
       SELECT user_id, currency, create_time, create_time
       FROM unnest($1::text[], $2::text[], $3::timestamptz[]) WITH ORDINALITY
         AS call (user_id, currency, create_time, place)
       ORDER BY user_id, place
       ON CONFLICT DO NOTHING RETURNING user_id`,
      [
        fresh.map((creation) => creation.userId),
        fresh.map((creation) => creation.currency),
        fresh.map((creation) => creation.createTime),
      ],
    );
    const created = new Set(inserted.map((row) => row.user_id));
    return fresh.map(({ userId, currency, createTime }) => {
      // If a batch holds two calls for one user, the first one created the row.
      if (!created.delete(userId)) return ErrorReason.ACCOUNT_ALREADY_EXISTS;
      return accountMessage({
        userId,
        currency,
        balanceMinor: 0n,
        entryCount: 0n,
        createTime,
        updateTime: createTime,
      });
    });
  });
}

/** Books the deposits, in order, all in `transaction`. */
export async function bookDeposits(
  transaction: Transaction,
  deposits: readonly DepositCall[],
  bookTime: Date,
): Promise<readonly Outcome<Account>[]> {
  return answerOnce(transaction, AccountSchema, deposits, async (fresh) => {
    const accounts = await lockAccounts(
      transaction,
      fresh.map((deposit) => deposit.userId),
    );
    const movements: Movement[] = [];
    const answers = fresh.map((deposit) => {
      const account = accounts.get(deposit.userId);
      if (!account) return ErrorReason.ACCOUNT_NOT_FOUND;
      const refusal = refusalOf(deposit, account);
      if (refusal !== undefined) return refusal;
      movements.push(
        move(account, {
          id: deposit.movementId,
          kind: LedgerEntryKind.DEPOSIT,
          amountMinor: deposit.amountMinor,
          orderId: null,
        }),
      );
      return accountMessage({ ...account, updateTime: bookTime });
    });
    await bookMovements(transaction, movements, bookTime);
    return answers;
  });
}

function refusalOf(deposit: DepositCall, account: LockedAccount): ErrorReason | undefined {
  if (deposit.currency !== account.currency) return ErrorReason.CURRENCY_MISMATCH;
  if (account.balanceMinor + deposit.amountMinor > maxBalanceMinor) {
    return ErrorReason.BALANCE_LIMIT_EXCEEDED;
  }
  return undefined;
}
