import type { Order } from "@settle/sdk";
import { statusOf } from "../orders/status.ts";

/**
 * Returns the orders that have just left their pending state, as far as this tab can tell. An
 * unknown order may have settled long ago, unless its id is above `sinceId`: ids increase with
 * time.
 */
export function newlySettled(
  orders: readonly Order[],
  options: {
    /** Returns the previously known state of an order. */
    readonly before: (id: string) => Order | undefined;
    /** The newest id when this tab was opened; undefined while unknown. */
    readonly sinceId: string | undefined;
  },
): readonly Order[] {
  const { before, sinceId } = options;
  return orders.filter((order) => {
    if (statusOf(order) === "pending") return false;
    const old = before(order.id);
    if (old) return statusOf(old) === "pending";
    return sinceId !== undefined && order.id > sinceId;
  });
}
