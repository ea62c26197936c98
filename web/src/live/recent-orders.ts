import type { Order } from "@settle/sdk";

const maxRecent = 2_000;

/**
 * The last states of orders that this tab has heard of, the 2,000 latest. An answer that was under way
 * while an order changed is older than what was heard meanwhile; this is what it is put right by.
 */
export type RecentOrders = {
  /** Keeps those that are newer than what is known, and returns them. */
  note(orders: readonly Order[]): readonly Order[];
  /** The newest state known of the order: the given one, or one heard of. */
  newest(order: Order): Order;
  get(id: string): Order | undefined;
  all(): readonly Order[];
};

/** Knows of nothing yet. */
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
