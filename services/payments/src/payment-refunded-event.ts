import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type OutboxEvent, outboxEvent } from "@settle/chassis/events/outbox";
import { PaymentRefundedEventSchema } from "@settle/gen/events/v1/events_pb";
import type { LockedPayment } from "./payments.ts";

/** Builds the event `id` with the total refunded for the payment, up to its last refund. */
export function paymentRefundedEvent(payment: LockedPayment, id: string): OutboxEvent {
  const { orderId, userId, refundedMinor, currency, refundTime } = payment;
  assert(refundTime, `the payment of order ${orderId} has not been refunded`);
  const event = create(PaymentRefundedEventSchema, {
    orderId,
    userId,
    refundedAmount: { minorUnits: refundedMinor, currency },
    refundTime: timestampFromDate(refundTime),
  });
  return outboxEvent(PaymentRefundedEventSchema, event, {
    id,
    createTimeMs: refundTime.getTime(),
  });
}
