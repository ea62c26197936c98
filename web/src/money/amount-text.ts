import { decimalText, hasMinorUnits, type MoneyValue } from "@settle/sdk";

/**
 * Formats an amount as a plain number, as a person types it: `-2.50` for EUR, or `-2,50` in a
 * `language` with a decimal comma. If the currency has no minor units in ISO 4217, it is the number of
 * minor units.
 */
export function amountText(sum: MoneyValue, language = "en"): string {
  if (!hasMinorUnits(sum.currency)) return String(sum.minorUnits);
  const parts = new Intl.NumberFormat(language).formatToParts(0.5);
  const decimal = parts.find(({ type }) => type === "decimal")?.value ?? ".";
  return decimalText(sum).replace(".", decimal);
}
