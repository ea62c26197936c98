import { decimalText, type LedgerEntry } from "@settle/sdk";
import { isoOf } from "../time/instant.ts";
import { kindOf } from "./kind.ts";

/** Tells spreadsheets that the file is UTF-8. */
const byteOrderMark = "\uFEFF";
const columns = ["time", "kind", "amount", "balance", "currency", "order", "entry"];

/** The header row of a statement as CSV. */
export const csvHead = `${byteOrderMark}${csvLine(columns)}`;

/** Formats an entry as a CSV row: ISO time in UTC, amounts with a decimal point, ids. */
export function csvEntry(entry: LedgerEntry): string {
  const { createTime, kind, amount, balanceAfter, orderId, id } = entry;
  return csvLine([
    createTime ? isoOf(createTime) : "",
    kindOf(kind),
    amount ? decimalText(amount) : "",
    balanceAfter ? decimalText(balanceAfter) : "",
    amount?.currency ?? "",
    orderId,
    id,
  ]);
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
