import type { Order } from "@settle/sdk";
import type { QueryClient } from "@tanstack/react-query";
import { mergeOrders, type OrderList } from "./merge-orders.ts";
import { createRecentOrders, type RecentOrders } from "./recent-orders.ts";
import { createSignal, type Signal } from "./signal.ts";

/** The keys of what is cached. */
export const keys = {
  account: ["account"],
  orders: ["orders"],
  statement: ["statement"],
  order: (id: string) => ["order", id],
} as const;

/** Where states of orders come together, from the feed and from answers. */
export type OrderCache = {
  readonly recent: RecentOrders;
  /** Takes in states of orders: newer ones replace older ones, wherever they are shown. */
  accept(orders: readonly Order[]): void;
  /** Tells what is accepted, and what was known before, before anything changes. */
  readonly accepted: Signal<[orders: readonly Order[], before: RecentOrders]>;
};

/** Keeps the orders in `queries` current, and calls `onMoved` when money may have moved. */
export function createOrderCache(queries: QueryClient, onMoved: () => void): OrderCache {
  const recent = createRecentOrders();
  const accepted: OrderCache["accepted"] = createSignal();
  return {
    recent,
    accepted,
    accept(orders) {
      accepted.emit(orders, recent);
      const fresh = recent.note(orders);
      if (fresh.length === 0) return;
      queries.setQueryData<OrderList>(keys.orders, (list) => list && mergeOrders(list, fresh));
      for (const order of fresh) {
        // Only those that somebody looks at or has looked at.
        queries.setQueryData<Order>(keys.order(order.id), (old) =>
          old && old.revision < order.revision ? order : old,
        );
      }
      if (fresh.some(({ settleTime }) => settleTime !== undefined)) onMoved();
    },
  };
}
