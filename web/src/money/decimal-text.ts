import { type MoneyValue, minorUnitDigits } from "@settle/sdk";

/** Writes a sum as a plain decimal number with a point, for programs: `-2.50`, and `500` in JPY. */
export function decimalText({ minorUnits, currency }: MoneyValue): string {
  const digits = minorUnitDigits(currency);
  const text = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(digits + 1, "0");
  const point = text.length - digits;
  const fraction = digits === 0 ? "" : `.${text.slice(point)}`;
  return `${minorUnits < 0n ? "-" : ""}${text.slice(0, point)}${fraction}`;
}
