import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type OutboxEvent, outboxEvent } from "@settle/chassis/events/outbox";
import { PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import type { LockedPayment } from "./payments.ts";

/** Builds the event `id` with the outcome of the payment and the total refunded so far. */
export function paymentResultEvent(
  payment: LockedPayment,
  { id, createTimeMs }: { readonly id: string; readonly createTimeMs: number },
): OutboxEvent {
  const event = create(PaymentResultEventSchema, {
    orderId: payment.orderId,
    userId: payment.userId,
    outcome: payment.outcome,
    declineReason: payment.declineReason,
    amount: { minorUnits: payment.amountMinor, currency: payment.currency },
    decideTime: timestampFromDate(payment.decideTime),
    refundedAmount: { minorUnits: payment.refundedMinor, currency: payment.currency },
  });
  return outboxEvent(PaymentResultEventSchema, event, { id, createTimeMs });
}
