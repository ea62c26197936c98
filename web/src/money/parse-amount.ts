import { hasMinorUnits, type MoneyValue, minorUnitDigits, money } from "@settle/sdk";

/** The largest amount of an order or deposit, in minor units, as in the contract. */
export const maxAmountMinor = 1_000_000_000_000n;

/** Why a text is not a valid amount. */
export type AmountFault =
  | "empty"
  | "not-a-number"
  | "ambiguous"
  | "too-many-digits"
  | "too-small"
  | "too-large";

type Separators = { readonly decimal: string; readonly group: string };

/**
 * Parses an amount as people who read `language` type it, or paste it with the sign or the code of
 * its currency: `1,234.56`, `1 234,56` and `1234.56` are the same. Thousands may be separated by
 * spaces, apostrophes, points or commas. A single point or comma before three digits is what it is in
 * the language; where the currency has three decimals and the language another sign for them, the
 * text could mean two amounts and is refused as ambiguous. A currency without minor units takes whole numbers of them.
 * Returns the amount, from 1 to 1,000,000,000,000 minor units, or the fault of the text.
 */
export function parseAmount(
  text: string,
  currency: string,
  language: string,
): { readonly amount: MoneyValue } | { readonly fault: AmountFault } {
  // Spaces of any width become usual ones, and wide digits plain ones.
  const trimmed = text.normalize("NFKC").trim();
  if (trimmed === "") return { fault: "empty" };
  const digits = digitsOf(currency);
  const number = withoutCurrency(trimmed, currency, language);
  const decimal = decimalIn(number, digits, separatorsOf(language));
  if (decimal === "ambiguous") return { fault: decimal };
  const at = decimal === undefined ? number.length : number.lastIndexOf(decimal);
  const whole = ungrouped(number.slice(0, at), decimal);
  const fraction = number.slice(at + 1);
  if (whole === undefined || !/^\d*$/.test(fraction)) return { fault: "not-a-number" };
  if (decimal !== undefined && fraction === "") return { fault: "not-a-number" };
  if (fraction.length > digits) return { fault: "too-many-digits" };
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

/** Returns the separators with which a language writes numbers. */
function separatorsOf(language: string): Separators {
  const parts = new Intl.NumberFormat(language).formatToParts(1_234_567.5);
  const find = (wanted: string) => parts.find(({ type }) => type === wanted)?.value ?? "";
  return { decimal: find("decimal"), group: find("group") };
}

/** Returns which of the point and the comma in the number begins its decimals, if one does. */
function decimalIn(
  number: string,
  digits: number,
  { decimal, group }: Separators,
): string | undefined {
  const found = number.match(/[.,]/g) ?? [];
  const [first] = found;
  if (first === undefined) return undefined;
  if (new Set(found).size > 1) return found.at(-1);
  if (found.length > 1) return undefined;
  const looksGrouped = /^[1-9]\d{0,2}[.,]\d{3}$/.test(number);
  if (!looksGrouped || first === decimal) return first;
  if (digits >= 3) return "ambiguous";
  return first === group ? undefined : first;
}

/** Returns the digits of a whole number; undefined if it is none, or wrongly grouped. */
function ungrouped(whole: string, decimal: string | undefined): string | undefined {
  const isGrouped = /^\d{1,3}(?:([ '’.,])\d{3})(?:\1\d{3})*$/.test(whole);
  if (!isGrouped) return /^\d+$/.test(whole) ? whole : undefined;
  if (decimal !== undefined && whole.includes(decimal)) return undefined;
  return whole.replaceAll(/\D/g, "");
}

/** Removes the code or the sign of the currency from the start or the end. */
function withoutCurrency(text: string, currency: string, language: string): string {
  const lower = text.toLowerCase();
  for (const name of namesOf(currency, language)) {
    if (lower.startsWith(name)) return text.slice(name.length).trim();
    if (lower.endsWith(name)) return text.slice(0, -name.length).trim();
  }
  return text;
}

function namesOf(currency: string, language: string): readonly string[] {
  const signs = (["symbol", "narrowSymbol"] as const).flatMap((currencyDisplay) =>
    new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay })
      .formatToParts(1)
      .filter(({ type }) => type === "currency")
      .map(({ value }) => value.normalize("NFKC").toLowerCase()),
  );
  return [currency.toLowerCase(), ...signs];
}
