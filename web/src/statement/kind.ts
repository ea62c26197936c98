import { LedgerEntryKind } from "@settle/sdk";

/** What moved money, in one word; `movement` for what is newer than this page. */
export type KindName = "deposit" | "payment" | "refund" | "movement";

const names = new Map<LedgerEntryKind, KindName>([
  [LedgerEntryKind.DEPOSIT, "deposit"],
  [LedgerEntryKind.PAYMENT, "payment"],
  [LedgerEntryKind.REFUND, "refund"],
]);

/** The word for what moved the money. */
export function kindOf(kind: LedgerEntryKind): KindName {
  return names.get(kind) ?? "movement";
}
