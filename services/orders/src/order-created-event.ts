import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type OutboxEvent, outboxEvent } from "@settle/chassis/events/outbox";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";

/** Builds the event for an order that was stored and waits for its payment. */
export function orderCreatedEvent(order: {
  readonly eventId: string;
  readonly orderId: string;
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly createTime: Date;
}): OutboxEvent {
  const event = create(OrderCreatedEventSchema, {
    orderId: order.orderId,
    userId: order.userId,
    amount: { minorUnits: order.amountMinor, currency: order.currency },
    createTime: timestampFromDate(order.createTime),
  });
  return outboxEvent(OrderCreatedEventSchema, event, {
    id: order.eventId,
    createTimeMs: order.createTime.getTime(),
  });
}
