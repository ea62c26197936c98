import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type OutboxEvent, outboxEvent } from "@settle/chassis/events/outbox";
import { OrderCancelledEventSchema } from "@settle/gen/events/v1/events_pb";

/** Builds the event for an order that was cancelled before its payment result was known. */
export function orderCancelledEvent(order: {
  readonly eventId: string;
  readonly orderId: string;
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly cancelTime: Date;
}): OutboxEvent {
  const event = create(OrderCancelledEventSchema, {
    orderId: order.orderId,
    userId: order.userId,
    amount: { minorUnits: order.amountMinor, currency: order.currency },
    cancelTime: timestampFromDate(order.cancelTime),
  });
  return outboxEvent(OrderCancelledEventSchema, event, {
    id: order.eventId,
    createTimeMs: order.cancelTime.getTime(),
  });
}
