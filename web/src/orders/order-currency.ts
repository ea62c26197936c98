import type { Account, Order } from "@settle/sdk";
import { currencies } from "../account/currencies.ts";

/**
 * Returns the currency of a new order: the account's, or the first available one without an account
 * (null). While the account is unknown (undefined), it is that of the newest order, or undefined if
 * there is none: then no order can be placed yet.
 */
export function orderCurrency(
  account: Pick<Account, "balance"> | null | undefined,
  newest: Pick<Order, "amount"> | undefined,
): string | undefined {
  if (account === null) return currencies[0];
  return (account ? account.balance : newest?.amount)?.currency;
}
