import { decimalText, hasMinorUnits, type MoneyValue } from "@settle/sdk";

/**
 * Formats an amount as a plain number, as a person types it: `-2.50` for EUR. If the currency has
 * no minor units in ISO 4217, it is the number of minor units.
 */
export function amountText(sum: MoneyValue): string {
  return hasMinorUnits(sum.currency) ? decimalText(sum) : String(sum.minorUnits);
}
