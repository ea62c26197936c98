import { hasMinorUnits, type MoneyValue, minorUnitDigits, money } from "@settle/sdk";

/** The largest amount of an order or deposit, in minor units, as in the contract. */
export const maxAmountMinor = 1_000_000_000_000n;

/** Why a text is not a valid amount. */
export type AmountFault = "empty" | "not-a-number" | "too-many-digits" | "too-small" | "too-large";

/** Groups of three digits, separated by spaces of any width or by apostrophes. */
const grouped = /^\d{1,3}([\s'’]\d{3})+(?=[.,]|$)/;

/**
 * Parses an amount as people type it: `12.50` and `12,50` are the same, and thousands may be
 * separated by spaces or apostrophes. A comma or point is always the decimal separator: `1,250` has
 * too many decimals for EUR. A currency without minor units takes whole numbers of them. Returns the
 * amount, from 1 to 1,000,000,000,000 minor units, or the fault of the text.
 */
export function parseAmount(
  text: string,
  currency: string,
): { readonly amount: MoneyValue } | { readonly fault: AmountFault } {
  const trimmed = text.trim();
  if (trimmed === "") return { fault: "empty" };
  const plain = trimmed.replace(grouped, (whole) => whole.replaceAll(/[\s'’]/g, ""));
  const [, whole, fraction = ""] = /^(\d+)(?:[.,](\d+))?$/.exec(plain) ?? [];
  if (whole === undefined) return { fault: "not-a-number" };
  if (fraction.length > digitsOf(currency)) return { fault: "too-many-digits" };
  const amount = hasMinorUnits(currency)
    ? money(fraction === "" ? whole : `${whole}.${fraction}`, currency)
    : { minorUnits: BigInt(whole), currency };
  if (amount.minorUnits < 1n) return { fault: "too-small" };
  return amount.minorUnits > maxAmountMinor ? { fault: "too-large" } : { amount };
}

/** Returns how many decimals an amount may be typed with. */
export function digitsOf(currency: string): number {
  return hasMinorUnits(currency) ? minorUnitDigits(currency) : 0;
}
