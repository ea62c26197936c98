import type { Transaction } from "@settle/chassis/database/database";
import type { Hints } from "@settle/chassis/events/hints";
import type { Outbox } from "@settle/chassis/events/outbox";
import { answerOnce, type Outcome } from "@settle/chassis/writes/answer-once";
import type { KeyedCall } from "@settle/chassis/writes/idempotency";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import {
  type Order,
  OrderSchema,
  OrderStatus,
  OrderStatusSchema,
} from "@settle/gen/orders/v1/order_pb";
import { type ChangedOrder, changeOrders } from "./change-orders.ts";
import { orderMessage } from "./order.entity.ts";
import { orderCancelledEvent } from "./order-cancelled-event.ts";

/** An order to cancel, and the id of the event to publish for it. */
export type Cancellation = {
  readonly userId: string;
  readonly orderId: string;
  readonly eventId: string;
};

/** One call of CancelOrder. */
export type CancelCall = Cancellation & { readonly call: KeyedCall };

type Means = { readonly outbox: Outbox; readonly hints: Pick<Hints, "tell"> };

/**
 * Cancels those orders of the calls whose payment is still pending, and stores their events and
 * idempotency keys, all in `transaction`. An order that is already cancelled gets the same answer;
 * any other is refused. The number of statements does not depend on the number of calls.
 */
export function cancelOrders(
  transaction: Transaction,
  means: Means,
  cancellations: readonly CancelCall[],
  cancelTime: Date,
): Promise<readonly Outcome<Order>[]> {
  return answerOnce(transaction, OrderSchema, cancellations, async (fresh) => {
    const cancelled = await cancelPending(transaction, means, fresh, cancelTime);
    return cancelled.map((change) => {
      if (!change) return ErrorReason.ORDER_NOT_FOUND;
      const { order } = change;
      if (order.status === OrderStatus.CANCELLED) return orderMessage(order);
      const metadata = { status: OrderStatusSchema.value[order.status]?.name ?? "" };
      return { refusal: ErrorReason.ORDER_NOT_CANCELLABLE, metadata };
    });
  });
}

/**
 * Cancels those of the orders whose payment is still pending, and stores their events. Returns each
 * order as it is afterwards; undefined where this user has no such order.
 */
export async function cancelPending(
  transaction: Transaction,
  { outbox, hints }: Means,
  cancellations: readonly Cancellation[],
  cancelTime: Date,
): Promise<readonly (ChangedOrder | undefined)[]> {
  const changes = cancellations.map(({ orderId, userId }) => ({
    orderId,
    userId,
    fact: { kind: "cancelled" } as const,
  }));
  const changed = await changeOrders(transaction, hints, changes, cancelTime);
  const events = cancellations.flatMap(({ eventId }, index) => {
    const change = changed[index];
    if (!change?.moved) return [];
    const { id: orderId, updateTime: cancelTime, ...order } = change.order;
    return [orderCancelledEvent({ ...order, eventId, orderId, cancelTime })];
  });
  if (events.length > 0) await outbox.write(transaction, events);
  return changed;
}
