import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { type Account, AccountSchema } from "@settle/gen/payments/v1/account_pb";

/**
 * The largest balance that a deposit may lead to, in minor units. A refund may exceed it: the money
 * was in the account before, and there is nowhere else to put it.
 */
export const maxBalanceMinor = 1_000_000_000_000_000n;

/**
 * The largest number of minor units that the contract and the tables hold. A balance comes near it
 * only if nine million payments of the largest amount, made from one account that was topped up
 * again and again, are all refunded.
 */
export const largestMinor = 2n ** 63n - 1n;

/**
 * A user's account. The balance is the sum of the account's ledger entries and never below 0. It
 * changes only together with an entry, under the row's lock. Payments reduce it, deposits increase
 * it up to {@link maxBalanceMinor}, and refunds up to {@link largestMinor}.
 */
export const AccountEntity = defineEntity({
  name: "AccountEntity",
  tableName: "accounts",
  properties: {
    userId: p.text().primary(),
    currency: p.text(),
    balanceMinor: p.bigint(),
    /** How many ledger entries the account has; numbers the entries in commit order. */
    entryCount: p.bigint(),
    createTime: p.datetime(),
    updateTime: p.datetime(),
  },
});

export type AccountEntity = InferEntity<typeof AccountEntity>;

/** Converts a stored account to the message of the contract. */
export function accountMessage(account: AccountEntity): Account {
  return create(AccountSchema, {
    userId: account.userId,
    balance: { minorUnits: account.balanceMinor, currency: account.currency },
    createTime: timestampFromDate(account.createTime),
    updateTime: timestampFromDate(account.updateTime),
  });
}
