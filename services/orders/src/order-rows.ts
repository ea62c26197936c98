import type { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { DeclineReason } from "@settle/gen/payments/v1/payment_pb";
import type { StoredOrder } from "./order.entity.ts";

/** The columns to SELECT for {@link orderOf}. */
export const orderColumns = `
  orders.id, orders.user_id, orders.amount_minor, orders.currency, orders.description,
  orders.status, orders.decline_reason, orders.refunded_minor, orders.revision,
  (extract(epoch FROM orders.create_time) * 1000)::bigint AS created_ms,
  (extract(epoch FROM orders.settle_time) * 1000)::bigint AS settled_ms,
  (extract(epoch FROM orders.expire_time) * 1000)::bigint AS expires_ms,
  (extract(epoch FROM orders.update_time) * 1000)::bigint AS updated_ms`;

/** A row of {@link orderColumns}. */
export type OrderRow = {
  readonly id: string;
  readonly user_id: string;
  readonly amount_minor: string;
  readonly currency: string;
  readonly description: string;
  readonly status: OrderStatus;
  readonly decline_reason: DeclineReason;
  readonly refunded_minor: string;
  readonly revision: string;
  readonly created_ms: string;
  readonly settled_ms: string | null;
  readonly expires_ms: string | null;
  readonly updated_ms: string;
};

/** Converts a row to an order. */
export function orderOf(row: OrderRow): StoredOrder {
  return {
    id: row.id,
    userId: row.user_id,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    description: row.description,
    status: row.status,
    declineReason: row.decline_reason,
    refundedMinor: BigInt(row.refunded_minor),
    revision: BigInt(row.revision),
    createTime: new Date(Number(row.created_ms)),
    settleTime: timeOf(row.settled_ms),
    expireTime: timeOf(row.expires_ms),
    updateTime: new Date(Number(row.updated_ms)),
  };
}

function timeOf(ms: string | null): Date | null {
  return ms === null ? null : new Date(Number(ms));
}
