import { decimalText, type LedgerEntry } from "@settle/sdk";
import { isoOf } from "../time/instant.ts";
import { kindOf } from "./kind.ts";

/** Tells spreadsheets that what follows is UTF-8. */
const byteOrderMark = "\uFEFF";
const columns = ["time", "kind", "amount", "balance", "currency", "order", "entry"];

/** The first line of a statement as CSV. */
export const csvHead = `${byteOrderMark}${csvLine(columns)}`;

/** One entry as a line of CSV: ISO time in UTC, decimal amounts with a point, ids. */
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
 * One line as RFC 4180 has it, with its end. A text that a spreadsheet would take for a formula gets an
 * apostrophe before it; numbers stay numbers.
 */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(",")}\r\n`;
}

function csvField(text: string): string {
  const isNumber = /^-?\d+(\.\d+)?$/.test(text);
  const safe = !isNumber && /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
