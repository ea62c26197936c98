import type { Transaction } from "@settle/chassis/database/database";
import { transactionConflict } from "@settle/chassis/database/database-failure";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import type { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import type { Movement } from "./ledger.entity.ts";
import { type LockedAccount, move } from "./ledger.ts";
import type { PaymentEntity } from "./payment.entity.ts";

/** A payment that is locked or not stored yet. The rest of the transaction changes it in place. */
export type LockedPayment = Readonly<Omit<PaymentEntity, "refundedMinor" | "refundTime">> &
  Pick<PaymentEntity, "refundedMinor" | "refundTime">;

/**
 * Locks the payments of the orders, in the order of their ids, and returns those that exist, in
 * their locked state. The accounts must be locked first. A payment that does not exist yet can
 * still be inserted by another transaction: {@link insertPayments} detects that.
 */
export async function lockPayments(
  transaction: Transaction,
  orderIds: readonly string[],
): Promise<Map<string, LockedPayment>> {
  const rows = await transaction.query<{
    order_id: string;
    user_id: string;
    amount_minor: string;
    currency: string;
    outcome: PaymentOutcome;
    decline_reason: DeclineReason;
    refunded_minor: string;
    received_ms: string;
    decided_ms: string;
    last_refund_ms: string | null;
  }>(
    `SELECT order_id, user_id, amount_minor, currency, outcome, decline_reason, refunded_minor,
            (extract(epoch FROM receive_time) * 1000)::bigint AS received_ms,
            (extract(epoch FROM decide_time) * 1000)::bigint AS decided_ms,
            (extract(epoch FROM refund_time) * 1000)::bigint AS last_refund_ms
     FROM payments WHERE order_id = ANY($1::uuid[]) ORDER BY order_id FOR NO KEY UPDATE`,
    [[...new Set(orderIds)]],
  );
  return new Map(
    rows.map((row) => [
      row.order_id,
      {
        orderId: row.order_id,
        userId: row.user_id,
        amountMinor: BigInt(row.amount_minor),
        currency: row.currency,
        outcome: row.outcome,
        declineReason: row.decline_reason,
        refundedMinor: BigInt(row.refunded_minor),
        receiveTime: new Date(Number(row.received_ms)),
        decideTime: new Date(Number(row.decided_ms)),
        refundTime: row.last_refund_ms === null ? null : new Date(Number(row.last_refund_ms)),
      },
    ]),
  );
}

/**
 * Stores payments that were decided in this transaction, in one statement. Throws a conflict, so
 * that the transaction is retried, if another transaction has decided one of the orders.
 */
export async function insertPayments(
  transaction: Transaction,
  payments: readonly LockedPayment[],
): Promise<void> {
  if (payments.length === 0) return;
  const inserted = await transaction.query(
    `INSERT INTO payments (order_id, user_id, amount_minor, currency, outcome, decline_reason,
                           refunded_minor, receive_time, decide_time, refund_time)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::smallint[],
                          $6::smallint[], $7::bigint[], $8::timestamptz[], $9::timestamptz[],
                          $10::timestamptz[])
       AS payment (order_id, user_id, amount_minor, currency, outcome, decline_reason,
                   refunded_minor, receive_time, decide_time, refund_time)
     ORDER BY order_id
     ON CONFLICT DO NOTHING RETURNING 1`,
    [
      payments.map((payment) => payment.orderId),
      payments.map((payment) => payment.userId),
      payments.map((payment) => payment.amountMinor),
      payments.map((payment) => payment.currency),
      payments.map((payment) => payment.outcome),
      payments.map((payment) => payment.declineReason),
      payments.map((payment) => payment.refundedMinor),
      payments.map((payment) => payment.receiveTime),
      payments.map((payment) => payment.decideTime),
      payments.map((payment) => payment.refundTime),
    ],
  );
  // Without an account there is no lock to wait for, so another transaction may have decided the
  // same order in the meantime. Then the decisions made here are invalid and are made again.
  if (inserted.length < payments.length) {
    throw transactionConflict("another transaction has decided a payment of this batch");
  }
}

/**
 * Refunds `amountMinor` of a PAID payment to the account it was taken from, both locked, and
 * returns the movement to book. Throws a conflict if the account did not exist when accounts were
 * locked.
 */
export function refund(
  payment: LockedPayment,
  account: LockedAccount | undefined,
  options: { readonly movementId: string; readonly amountMinor: bigint; readonly bookTime: Date },
): Movement {
  const { movementId, amountMinor, bookTime } = options;
  // Accounts are locked before payments: this one was created, and has paid, between the two.
  if (!account) throw transactionConflict(`user ${payment.userId} had no account to lock`);
  payment.refundedMinor += amountMinor;
  payment.refundTime = bookTime;
  return move(account, {
    id: movementId,
    kind: LedgerEntryKind.REFUND,
    amountMinor,
    orderId: payment.orderId,
  });
}

/** Stores the refunded totals of payments locked in this transaction, in one statement. */
export async function storeRefunds(
  transaction: Transaction,
  payments: readonly LockedPayment[],
): Promise<void> {
  if (payments.length === 0) return;
  await transaction.query(
    `UPDATE payments SET refunded_minor = changed.refunded_minor, refund_time = changed.refund_time
     FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[])
       AS changed (order_id, refunded_minor, refund_time)
     WHERE payments.order_id = changed.order_id`,
    [
      payments.map((payment) => payment.orderId),
      payments.map((payment) => payment.refundedMinor),
      payments.map((payment) => payment.refundTime),
    ],
  );
}
