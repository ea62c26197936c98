import type { Account, Order } from "@settle/sdk";
import { currencies } from "../account/currencies.ts";

/**
 * The currency of a new order: the account's, or the first one on offer for somebody who has no account
 * (null). While the account is not known (undefined), that of the newest order; undefined without one,
 * when nothing can be ordered yet.
 */
export function orderCurrency(
  account: Pick<Account, "balance"> | null | undefined,
  newest: Pick<Order, "amount"> | undefined,
): string | undefined {
  if (account === null) return currencies[0];
  return (account ? account.balance : newest?.amount)?.currency;
}
