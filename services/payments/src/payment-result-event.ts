import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type OutboxEvent, outboxEvent } from "@settle/chassis/outbox";
import { PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import type { LockedPayment } from "./payments.ts";

/** Tells, as the event `id`, what was decided about an order; the same however often it is told. */
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
  });
  return outboxEvent(PaymentResultEventSchema, event, { id, createTimeMs });
}
