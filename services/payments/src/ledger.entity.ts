import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import {
  type LedgerEntry,
  LedgerEntryKind,
  LedgerEntrySchema,
} from "@settle/gen/payments/v1/account_pb";

/**
 * One leg of a movement in the double-entry ledger. Entries are only ever added. A movement has two
 * legs that sum to zero: one on a user's account, numbered there by `sequence`, and one on a system
 * account (see {@link systemAccountOf}), which has no balance and no sequence numbers.
 */
export const LedgerEntryEntity = defineEntity({
  name: "LedgerEntryEntity",
  tableName: "ledger_entries",
  properties: {
    /** A UUIDv7, made before the transaction. */
    movementId: p.uuid().primary(),
    /** A user id, or the name of a system account. */
    account: p.text().primary(),
    kind: p.smallint().$type<LedgerEntryKind>(),
    amountMinor: p.bigint(),
    currency: p.text(),
    sequence: p.bigint().nullable(),
    balanceAfterMinor: p.bigint().nullable(),
    /** The order that was paid or refunded; null for a deposit. */
    orderId: p.uuid().nullable(),
    createTime: p.datetime(),
  },
});

export type LedgerEntryEntity = InferEntity<typeof LedgerEntryEntity>;

/** A movement between a user's account and the system account of its kind. */
export type Movement = {
  readonly id: string;
  readonly kind: LedgerEntryKind;
  readonly userId: string;
  /** The change to the balance of the user's account; negative for a payment. */
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly sequence: bigint;
  readonly balanceAfterMinor: bigint;
  readonly orderId: string | null;
};

/**
 * The system account on the other side of a movement: payments go to the sales account, and refunds
 * come from it. User ids contain no colon, so these names never collide with one.
 */
export function systemAccountOf(kind: LedgerEntryKind, currency: string): string {
  return kind === LedgerEntryKind.DEPOSIT
    ? `system:deposits:${currency}`
    : `system:sales:${currency}`;
}

/** A user's leg of a movement, without what is the same on every page of a list. */
export type StoredEntry = Omit<LedgerEntryEntity, "account">;

/** Converts a user's leg of a movement to the message of the contract. */
export function ledgerEntryMessage(entry: StoredEntry): LedgerEntry {
  return create(LedgerEntrySchema, {
    id: entry.movementId,
    kind: entry.kind,
    amount: { minorUnits: entry.amountMinor, currency: entry.currency },
    balanceAfter: { minorUnits: entry.balanceAfterMinor ?? 0n, currency: entry.currency },
    orderId: entry.orderId ?? "",
    createTime: timestampFromDate(entry.createTime),
  });
}
