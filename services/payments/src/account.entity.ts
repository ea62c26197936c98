import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { type Account, AccountSchema } from "@settle/gen/payments/v1/account_pb";

/** The largest balance an account may hold, in minor units. */
export const maxBalanceMinor = 1_000_000_000_000_000n;

/**
 * A user's account. The balance is the sum of the account's ledger entries, between 0 and
 * {@link maxBalanceMinor}; it changes only together with an entry, under the row's lock.
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
