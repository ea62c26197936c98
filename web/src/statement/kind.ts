import { LedgerEntryKind } from "@settle/sdk";

/** The kind of an entry as a word; `movement` for a kind that is newer than this page. */
export type KindName = "deposit" | "payment" | "refund" | "movement";

const names = new Map<LedgerEntryKind, KindName>([
  [LedgerEntryKind.DEPOSIT, "deposit"],
  [LedgerEntryKind.PAYMENT, "payment"],
  [LedgerEntryKind.REFUND, "refund"],
]);

/** Returns the word for the kind of an entry. */
export function kindOf(kind: LedgerEntryKind): KindName {
  return names.get(kind) ?? "movement";
}
