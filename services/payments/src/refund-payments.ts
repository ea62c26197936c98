import type { Transaction } from "@settle/chassis/database/database";
import type { Outbox, OutboxEvent } from "@settle/chassis/events/outbox";
import { answerOnce, type Outcome } from "@settle/chassis/writes/answer-once";
import type { KeyedCall } from "@settle/chassis/writes/idempotency";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { type Payment, PaymentSchema } from "@settle/gen/payments/v1/payment_pb";
import { largestMinor } from "./account.entity.ts";
import { decideRefund } from "./decide-refund.ts";
import type { Movement } from "./ledger.entity.ts";
import { bookMovements, lockAccounts } from "./ledger.ts";
import { paymentMessage } from "./payment.entity.ts";
import { paymentRefundedEvent } from "./payment-refunded-event.ts";
import { type LockedPayment, lockPayments, refund, storeRefunds } from "./payments.ts";

/** One call of RefundPayment, with the ids that are chosen before the transaction. */
export type RefundCall = {
  readonly call: KeyedCall;
  readonly movementId: string;
  readonly eventId: string;
  /** The user who paid. */
  readonly userId: string;
  /** In lower case. */
  readonly orderId: string;
  /** Undefined to refund all that is left. */
  readonly asked: { readonly amountMinor: bigint; readonly currency: string } | undefined;
};

/**
 * Refunds the payments, in the order of the calls, and stores their events, all in `transaction`.
 * Returns for each call the updated payment or the reason of its refusal. Several refunds of one
 * payment see one another. The number of statements does not depend on the number of calls.
 */
export function refundPayments(
  transaction: Transaction,
  outbox: Outbox,
  refunds: readonly RefundCall[],
  bookTime: Date,
): Promise<readonly Outcome<Payment>[]> {
  return answerOnce(transaction, PaymentSchema, refunds, async (fresh) => {
    const accounts = await lockAccounts(
      transaction,
      fresh.map(({ userId }) => userId),
    );
    const payments = await lockPayments(
      transaction,
      fresh.map(({ orderId }) => orderId),
    );
    const refunded = new Set<LockedPayment>();
    const movements: Movement[] = [];
    const events: OutboxEvent[] = [];
    const answers = fresh.map(({ userId, orderId, asked, movementId, eventId }) => {
      const payment = payments.get(orderId);
      if (payment?.userId !== userId) return ErrorReason.PAYMENT_NOT_FOUND;
      const decision = decideRefund(payment, asked);
      if ("refusal" in decision) return decision;
      const { amountMinor } = decision;
      const account = accounts.get(userId);
      if (account && account.balanceMinor + amountMinor > largestMinor) {
        return ErrorReason.BALANCE_LIMIT_EXCEEDED;
      }
      movements.push(refund(payment, account, { movementId, amountMinor, bookTime }));
      events.push(paymentRefundedEvent(payment, eventId));
      refunded.add(payment);
      return paymentMessage(payment);
    });
    await storeRefunds(transaction, [...refunded]);
    await bookMovements(transaction, movements, bookTime);
    await outbox.write(transaction, events);
    return answers;
  });
}
