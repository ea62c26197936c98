import type { Order } from "@settle/sdk";

const maxRecent = 2_000;

/**
 * The latest states of up to 2,000 orders that this tab has received. A response that was in flight
 * while an order changed may be older than a change that arrived meanwhile; this corrects it.
 */
export type RecentOrders = {
  /** Stores the orders that are newer than the known states, and returns them. */
  note(orders: readonly Order[]): readonly Order[];
  /** Returns the newest known state of the order: the given one or a stored one. */
  newest(order: Order): Order;
  get(id: string): Order | undefined;
  all(): readonly Order[];
};

/** Creates an empty store. */
export function createRecentOrders(): RecentOrders {
  const known = new Map<string, Order>();
  return {
    note(orders) {
      const fresh = orders.filter((order) => {
        const old = known.get(order.id);
        if (old && old.revision >= order.revision) return false;
        known.delete(order.id);
        known.set(order.id, order);
        return true;
      });
      for (const id of known.keys()) {
        if (known.size <= maxRecent) break;
        known.delete(id);
      }
      return fresh;
    },
    newest(order) {
      const other = known.get(order.id);
      return other && other.revision > order.revision ? other : order;
    },
    get: (id) => known.get(id),
    all: () => [...known.values()],
  };
}
