import { type Account, DeclineReason, type MoneyValue, type Order } from "@settle/sdk";

/** What the user can do about a declined order. */
export type NextStep =
  | { readonly kind: "open-account" }
  /** Top up by the missing amount. */
  | { readonly kind: "top-up"; readonly missing: MoneyValue; readonly balance: MoneyValue }
  /** Order again in the account's currency; covered if the balance is enough for the same order. */
  | { readonly kind: "again"; readonly currency: string; readonly isCovered: boolean };

/**
 * Returns what to do next about a declined order, with the current account, which is null if there
 * is none. Undefined while the account is unknown.
 */
export function nextStepOf(
  { declineReason, amount }: Pick<Order, "declineReason" | "amount">,
  account: Pick<Account, "balance"> | null | undefined,
): NextStep | undefined {
  if (account === null) return { kind: "open-account" };
  const balance = account?.balance;
  if (!balance || !amount) return undefined;
  const { currency } = balance;
  const isShort = declineReason === DeclineReason.INSUFFICIENT_FUNDS;
  if (!isShort || amount.currency !== currency)
    return { kind: "again", currency, isCovered: false };
  const minorUnits = amount.minorUnits - balance.minorUnits;
  if (minorUnits <= 0n) return { kind: "again", currency, isCovered: true };
  return { kind: "top-up", missing: { minorUnits, currency }, balance };
}
