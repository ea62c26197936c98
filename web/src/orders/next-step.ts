import { type Account, DeclineReason, type MoneyValue, type Order } from "@settle/sdk";

/** What somebody can do about a declined order. */
export type NextStep =
  | { readonly kind: "open-account" }
  /** By what the balance lacks. */
  | { readonly kind: "top-up"; readonly missing: MoneyValue; readonly balance: MoneyValue }
  /** In the account's currency; covered if that and the balance are enough for the same order. */
  | { readonly kind: "again"; readonly currency: string; readonly isCovered: boolean };

/**
 * What to do next about a declined order, with the account as it is now: null if there is none.
 * Undefined while the account is not known.
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
