import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { type Account, AccountSchema } from "@settle/gen/payments/v1/account_pb";

/**
 * The largest balance a deposit may lead to, in minor units. A refund may pass it: what comes back
 * was inside before, and nobody could say where else to put it.
 */
export const maxBalanceMinor = 1_000_000_000_000_000n;

/**
 * A user's account. The balance is the sum of the account's ledger entries and never below 0; it
 * changes only together with an entry, under the row's lock. Payments take from it, deposits add to
 * it up to {@link maxBalanceMinor}, refunds without a limit of their own.
 */
export const AccountEntity = defineEntity({
  name: "AccountEntity",
  tableName: "accounts",
  properties: {
    userId: p.text().primary(),
    currency: p.text(),
    balanceMinor: p.bigint(),
    /** How many ledger entries the account has; numbers them in the order of their commits. */
    entryCount: p.bigint(),
    createTime: p.datetime(),
    updateTime: p.datetime(),
  },
});

export type AccountEntity = InferEntity<typeof AccountEntity>;

/** Shows the stored account as the contract does. */
export function accountMessage(account: AccountEntity): Account {
  return create(AccountSchema, {
    userId: account.userId,
    balance: { minorUnits: account.balanceMinor, currency: account.currency },
    createTime: timestampFromDate(account.createTime),
    updateTime: timestampFromDate(account.updateTime),
  });
}
