import { currencyOf } from "@settle/gen/money/v1/currencies";

/** An amount as in requests and responses: whole minor units of a currency. */
export type MoneyValue = { readonly minorUnits: bigint; readonly currency: string };

/**
 * Parses a decimal number of major units exactly: `money("12.50", "EUR")` is 1250 cents. The number
 * is an optional minus, digits, and after a point at most as many digits as the currency has.
 * Throws a RangeError for any other number and for a currency without minor units.
 */
export function money(amount: string, currency: string): MoneyValue {
  const digits = minorUnitDigits(currency);
  const [, sign, whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? [];
  if (sign === undefined) throw new RangeError(`not a decimal number: "${amount}"`);
  if (fraction.length > digits) {
    throw new RangeError(`${currency} has ${digits} decimals: "${amount}"`);
  }
  const minorUnits = BigInt(whole + fraction.padEnd(digits, "0"));
  return { minorUnits: sign === "-" ? -minorUnits : minorUnits, currency };
}

/**
 * Formats an amount as a plain decimal number of major units, for programs: `-2.50` for EUR, `500`
 * for JPY. `money` parses it back. Throws a RangeError for a currency without minor units.
 */
export function decimalText({ minorUnits, currency }: MoneyValue): string {
  const digits = minorUnitDigits(currency);
  const text = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(digits + 1, "0");
  const point = text.length - digits;
  const fraction = digits === 0 ? "" : `.${text.slice(point)}`;
  return `${minorUnits < 0n ? "-" : ""}${text.slice(0, point)}${fraction}`;
}

/**
 * Formats an amount for people, by the rules of `locale` (default: the user's), without rounding:
 * `€12.50`. If the currency has no minor units, it is not known how many make a whole one; then the
 * text is their number: `1,250 minor units of XAU`.
 */
export function formatMoney(sum: MoneyValue, locale?: string): string {
  return formatMoneyToParts(sum, locale)
    .map(({ value }) => value)
    .join("");
}

/** Returns the text of `formatMoney` in parts, as `Intl.NumberFormat` does. */
export function formatMoneyToParts(sum: MoneyValue, locale?: string): Intl.NumberFormatPart[] {
  const { minorUnits, currency } = sum;
  if (!hasMinorUnits(currency)) {
    const number = new Intl.NumberFormat(locale).formatToParts(minorUnits);
    return [...number, { type: "literal", value: ` minor units of ${currency}` }];
  }
  // The runtime would take the number of decimals from CLDR, which differs from ISO 4217.
  const digits = minorUnitDigits(currency);
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // A decimal string is formatted exactly; a number would be rounded first.
  return format.formatToParts(decimalText(sum) as `${number}`);
}

/**
 * Returns the number of decimals of a currency by ISO 4217: 2 for EUR, 0 for JPY. Throws a
 * RangeError for a currency without minor units.
 */
export function minorUnitDigits(currency: string): number {
  const digits = currencyOf(currency)?.digits;
  if (digits === undefined) throw new RangeError(`not a currency with minor units: "${currency}"`);
  return digits;
}

/**
 * Whether ISO 4217 says how many decimals a currency has, now or when it was withdrawn. It is not
 * so for gold (`XAU`), codes that were withdrawn long ago, and codes that never existed.
 */
export function hasMinorUnits(currency: string): boolean {
  return currencyOf(currency)?.digits !== undefined;
}
