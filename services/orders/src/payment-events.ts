import assert from "node:assert/strict";
import type { Clock } from "@settle/chassis/base/clock";
import type { Message, MessageHandler } from "@settle/chassis/events/consumer";
import type { Hints } from "@settle/chassis/events/hints";
import {
  PaymentRefundedEventSchema,
  type PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { OrderStatusSchema } from "@settle/gen/orders/v1/order_pb";
import type { Logger } from "pino";
import { noteNothingTaken } from "./announce-again.ts";
import { changeOrders } from "./change-orders.ts";
import { isNothingTaken, type OrderFact } from "./decide-order.ts";

type EventSchema = typeof PaymentResultEventSchema | typeof PaymentRefundedEventSchema;

/**
 * Applies payment results and refunds to their orders, in arrival order. An event that changes
 * nothing, because the transition is not allowed or was already made, is dropped and logged. An
 * event whose order is not stored yet is reported as too early.
 */
export function settleOrders(options: {
  readonly hints: Pick<Hints, "tell">;
  readonly clock: Clock;
  readonly log: Logger;
}): MessageHandler<EventSchema> {
  const { hints, clock, log } = options;
  return async (transaction, messages) => {
    const changes = messages.map(({ event }) => ({
      orderId: event.orderId,
      userId: event.userId,
      fact: factOf(event),
    }));
    const changed = await changeOrders(transaction, hints, changes, new Date(clock.nowMs()));
    const untaken = changes.flatMap(({ orderId, fact }, index) => {
      const order = changed[index]?.order;
      return order && isNothingTaken(order, fact) ? [orderId] : [];
    });
    await noteNothingTaken(transaction, untaken);
    const tooEarly: string[] = [];
    messages.forEach(({ id, event }, index) => {
      const change = changed[index];
      if (!change) tooEarly.push(id);
      else if (!change.moved) {
        const status = OrderStatusSchema.value[change.order.status]?.name;
        const { orderId, $typeName: type } = event;
        log.info({ messageId: id, type, orderId, status }, "the event does not change the order");
      }
    });
    return { tooEarly };
  };
}

function factOf(event: Message<EventSchema>["event"]): OrderFact {
  if (event.$typeName === PaymentRefundedEventSchema.typeName) {
    assert(event.refundedAmount, "a PaymentRefundedEvent must have a refunded_amount");
    return { kind: "refunded", refundedMinor: event.refundedAmount.minorUnits };
  }
  const { outcome, declineReason, refundedAmount } = event;
  return {
    kind: "decided",
    outcome,
    declineReason,
    refundedMinor: refundedAmount?.minorUnits ?? 0n,
  };
}
