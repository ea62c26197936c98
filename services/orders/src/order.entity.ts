import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { type Order, OrderSchema, type OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { DeclineReason } from "@settle/gen/payments/v1/payment_pb";

/**
 * One order of one user.
 *
 * Allowed transitions: PENDING_PAYMENT to PAID, PAYMENT_DECLINED or CANCELLED, and PAID to REFUNDED
 * (see decide-order.ts). Every change is made while the user's revision is locked, increments that
 * revision, and is guarded by the revision the order had when the change was decided. Status and
 * decline reason are stored as the numbers of their enums in the contract.
 */
export const OrderEntity = defineEntity({
  name: "OrderEntity",
  tableName: "orders",
  properties: {
    /** A UUIDv7, so that ids increase with the time of creation. */
    id: p.uuid().primary(),
    userId: p.text(),
    amountMinor: p.bigint(),
    currency: p.text(),
    description: p.text(),
    status: p.smallint().$type<OrderStatus>(),
    declineReason: p.smallint().$type<DeclineReason>(),
    refundedMinor: p.bigint(),
    /** The user's revision when this order last changed; unique among the user's orders. */
    revision: p.bigint(),
    createTime: p.datetime(),
    /** When repair last announced it again; null if it never did. */
    announceTime: p.datetime().nullable(),
    /** Whether payments has answered that nothing was taken for this cancelled order. */
    nothingTaken: p.boolean().default(false),
    settleTime: p.datetime().nullable(),
    expireTime: p.datetime().nullable(),
    updateTime: p.datetime(),
  },
});

export type OrderEntity = InferEntity<typeof OrderEntity>;

/** An order without the columns that only repair uses. */
export type StoredOrder = Omit<OrderEntity, "announceTime" | "nothingTaken">;

/** Converts a stored order to the message of the contract. */
export function orderMessage(order: StoredOrder): Order {
  const message = create(OrderSchema, {
    id: order.id,
    userId: order.userId,
    amount: { minorUnits: order.amountMinor, currency: order.currency },
    description: order.description,
    status: order.status,
    declineReason: order.declineReason,
    refundedAmount: { minorUnits: order.refundedMinor, currency: order.currency },
    revision: order.revision,
    createTime: timestampFromDate(order.createTime),
    updateTime: timestampFromDate(order.updateTime),
  });
  if (order.settleTime) message.settleTime = timestampFromDate(order.settleTime);
  if (order.expireTime) message.expireTime = timestampFromDate(order.expireTime);
  return message;
}
