import { hasMinorUnits, type LedgerEntry } from "@settle/sdk";
import { amountText } from "../money/amount-text.ts";
import { isoOf } from "../time/instant.ts";
import { kindOf } from "./kind.ts";

/** Tells spreadsheets that the file is UTF-8. */
const byteOrderMark = "\uFEFF";
const columns = ["time", "kind", "amount", "balance", "currency", "order", "entry"];

/** The header row of a statement as CSV. */
export const csvHead = `${byteOrderMark}${csvLine(columns)}`;

/**
 * Formats an entry as a CSV row: ISO time in UTC, amounts with a decimal point, ids. Amounts in a
 * currency without minor units are whole numbers, and the column `currency` says of what.
 */
export function csvEntry(entry: LedgerEntry): string {
  const { createTime, kind, amount, balanceAfter, orderId, id } = entry;
  return csvLine([
    createTime ? isoOf(createTime) : "",
    kindOf(kind),
    amount ? amountText(amount) : "",
    balanceAfter ? amountText(balanceAfter) : "",
    amount ? unitOf(amount.currency) : "",
    orderId,
    id,
  ]);
}

function unitOf(currency: string): string {
  return hasMinorUnits(currency) ? currency : `${currency} (minor units)`;
}

/**
 * Formats a row by RFC 4180, including its line break. A text that a spreadsheet would read as a
 * formula gets a leading apostrophe; numbers stay numbers.
 */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(",")}\r\n`;
}

function csvField(text: string): string {
  const isNumber = /^-?\d+(\.\d+)?$/.test(text);
  const safe = !isNumber && /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
