import type { Order } from "@settle/sdk";
import { statusOf } from "../orders/status.ts";

/**
 * Those of the orders that have left their pending state just now, as far as this tab can tell. One that
 * it knows nothing of may have done so long ago, unless its id is above `sinceId`: ids rise with time.
 */
export function newlySettled(
  orders: readonly Order[],
  options: {
    /** The order as it was known before. */
    readonly before: (id: string) => Order | undefined;
    /** The newest id when this tab began; undefined while that is not known. */
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
