import type { Settle } from "@settle/sdk";
import { csvEntry, csvHead } from "./csv.ts";

const pageSize = 1_000;

/**
 * Loads the whole statement and saves it as a file `settle-<user>-<day>.csv`. Reports the number of
 * rows after each thousand. Rejects with the signal's reason if it aborts.
 */
export async function exportStatement(options: {
  readonly settle: Settle;
  readonly userId: string;
  readonly signal: AbortSignal;
  onProgress(lines: number): void;
}): Promise<void> {
  const { settle, userId, signal, onProgress } = options;
  const parts: string[] = [csvHead];
  const pages = settle.payments.listLedgerEntries({ userId, pageSize }, { signal });
  let lines = 0;
  for await (const { entries } of pages) {
    parts.push(...entries.map(csvEntry));
    lines += entries.length;
    onProgress(lines);
  }
  signal.throwIfAborted();
  const day = new Date().toISOString().slice(0, 10);
  save(
    new Blob(parts, { type: "text/csv;charset=utf-8" }),
    `settle-${fileName(userId)}-${day}.csv`,
  );
}

const fileName = (userId: string) => userId.replaceAll(/[^\w.-]/g, "_");

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has read the file by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
