import type { Order } from "@settle/sdk";
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { mergeOrders, type OrderList } from "./merge-orders.ts";
import { createRecentOrders, type RecentOrders } from "./recent-orders.ts";
import { createSignal, type Signal } from "./signal.ts";

/** The keys of the cached queries. */
export const keys = {
  account: ["account"],
  /** The list of all orders; lists of some of them have longer keys that begin with it. */
  orders: ["orders"],
  statement: ["statement"],
  order: (id: string) => ["order", id],
} as const;

/** Merges the states of orders from the feed and from responses. */
export type OrderCache = {
  readonly recent: RecentOrders;
  /** Accepts states of orders: newer ones replace older ones wherever they are displayed. */
  accept(orders: readonly Order[]): void;
  /** Emits the accepted orders with the previous state, before anything changes. */
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
      // All of them: a known state may not be displayed everywhere yet.
      const isShownAnew = show(queries, orders);
      const isMove = ({ settleTime }: Order) => settleTime !== undefined;
      if ((fresh.length > 0 || isShownAnew) && orders.some(isMove)) onMoved();
    },
  };
}

/** Returns all lists of orders that have been loaded, with their keys. */
export function orderListsIn(queries: QueryClient): readonly (readonly [QueryKey, OrderList])[] {
  const lists = queries.getQueriesData<OrderList>({ queryKey: keys.orders });
  return lists.flatMap(([key, list]) => (list ? [[key, list] as const] : []));
}

/** Replaces older states in the lists and in single orders; returns whether there were any. */
function show(queries: QueryClient, orders: readonly Order[]): boolean {
  let isChanged = false;
  for (const [key, list] of orderListsIn(queries)) {
    const merged = mergeOrders(list, orders);
    if (merged === list) continue;
    queries.setQueryData(key, merged);
    isChanged = true;
  }
  for (const order of orders) {
    // Only orders that are or were displayed.
    const old = queries.getQueryData<Order | null>(keys.order(order.id));
    if (!old || old.revision >= order.revision) continue;
    queries.setQueryData(keys.order(order.id), order);
    isChanged = true;
  }
  return isChanged;
}
