/** An amount as in requests and responses: whole minor units of a currency. */
export type MoneyValue = { readonly minorUnits: bigint; readonly currency: string };

/**
 * Parses a decimal number of major units exactly: `money("12.50", "EUR")` is 1250 cents. The number
 * is an optional minus, digits, and after a point at most as many digits as the currency has.
 * Throws a RangeError for any other number and for a currency that is not three capital letters.
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
 * for JPY. `money` parses it back.
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
 * `€12.50`.
 */
export function formatMoney(sum: MoneyValue, locale?: string): string {
  const { currency } = sum;
  const digits = minorUnitDigits(currency);
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // A decimal string is formatted exactly; a number would be rounded first.
  return format.format(decimalText(sum) as `${number}`);
}

/** Returns the number of decimals of a currency: 2 for EUR, 0 for JPY. */
export function minorUnitDigits(currency: string): number {
  if (!/^[A-Z]{3}$/.test(currency)) throw new RangeError(`not a currency code: "${currency}"`);
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits ?? 0;
}
