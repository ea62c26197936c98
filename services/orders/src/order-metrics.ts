import { counter, gauge, histogram } from "@settle/chassis/metrics/registry";
import { type OrderStatus, OrderStatusSchema } from "@settle/gen/orders/v1/order_pb";
import type { StoredOrder } from "./order.entity.ts";

export const orderMoves = counter({
  name: "settle_orders_total",
  help: "Orders that have reached a status, by the one before and after; `NEW` before the first.",
  labels: ["from", "to"],
});

export const settledAfter = histogram({
  name: "settle_order_settled_seconds",
  help: "Time from the creation of an order until its payment was decided or it was cancelled, by status.",
  labels: ["status"],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3600],
});

export const announcedAgain = counter({
  name: "settle_orders_announced_again_total",
  help: "Orders whose event was published again because no answer had come, by kind: `created` or `cancelled`.",
  labels: ["kind"],
});

export const openWatches = gauge({
  name: "settle_watches",
  help: "Watches that are open.",
});

/** The name of a status in the contract, without its prefix. */
export function nameOfStatus(status: OrderStatus): string {
  return OrderStatusSchema.value[status]?.localName ?? "";
}

/** Counts a stored change of an order, if its status is another one. */
export function countMove({
  before,
  after,
}: {
  readonly before: StoredOrder;
  readonly after: StoredOrder;
}): void {
  if (before.status === after.status) return;
  const to = nameOfStatus(after.status);
  orderMoves.inc({ from: nameOfStatus(before.status), to });
  if (before.settleTime || !after.settleTime) return;
  const tookMs = after.settleTime.getTime() - after.createTime.getTime();
  settledAfter.observe({ status: to }, tookMs / 1_000);
}
