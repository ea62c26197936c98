/** A sum as requests take it and answers bring it: whole minor units of one currency. */
export type MoneyValue = { readonly minorUnits: bigint; readonly currency: string };

/**
 * Reads a decimal number of a currency's major units, exactly: `money("12.50", "EUR")` is 1250
 * cents. Throws a RangeError for anything but an optional minus, digits and at most as many digits
 * after a point as the currency has, and for what is not three capital letters.
 */
export function money(amount: string, currency: string): MoneyValue {
  const digits = minorUnitDigits(currency);
  const [, sign, whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? [];
  if (sign === undefined) throw new RangeError(`not a decimal number: "${amount}"`);
  if (fraction.length > digits) {
    throw new RangeError(`${currency} has ${digits} digits after the point: "${amount}"`);
  }
  const minorUnits = BigInt(whole + fraction.padEnd(digits, "0"));
  return { minorUnits: sign === "-" ? -minorUnits : minorUnits, currency };
}

/**
 * Writes a sum as a plain decimal number of major units, for programs: `-2.50` for EUR, `500` for JPY.
 * `money` reads it back.
 */
export function decimalText({ minorUnits, currency }: MoneyValue): string {
  const digits = minorUnitDigits(currency);
  const text = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(digits + 1, "0");
  const point = text.length - digits;
  const fraction = digits === 0 ? "" : `.${text.slice(point)}`;
  return `${minorUnits < 0n ? "-" : ""}${text.slice(0, point)}${fraction}`;
}

/**
 * Writes a sum for people, in the manner of `locale` (default: the reader's), without rounding:
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
  // A decimal text is taken exactly, where a number would have been rounded before.
  return format.format(decimalText(sum) as `${number}`);
}

/** How many digits after the point a currency's minor unit stands for: 2 for EUR, 0 for JPY. */
export function minorUnitDigits(currency: string): number {
  if (!/^[A-Z]{3}$/.test(currency)) throw new RangeError(`not a currency's code: "${currency}"`);
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits ?? 0;
}
