import type { Order } from "@settle/sdk";

/** How many orders a list keeps while it grows by itself. */
export const listedOrders = 200;

/** How many orders a list has at first. */
const firstPageSize = 50;
/** The largest page that the service returns. */
export const maxPageSize = 1_000;

/** The displayed orders of a user, newest first. */
export type OrderList = {
  readonly orders: readonly Order[];
  /** Whether an order belongs to the list; by default, all do. */
  readonly matches: (order: Order) => boolean;
  /** The list is complete from this id on; empty if no older orders follow. */
  readonly fromId: string;
  /**
   * What follows: nothing, a page that can be requested by its token, or orders that were dropped
   * from the list as newer ones arrived.
   */
  readonly rest:
    | { readonly kind: "none" | "dropped" }
    | { readonly kind: "page"; readonly token: string };
  /** How many to keep; more once the user has loaded more. */
  readonly limit: number;
};

/**
 * Updates a list. Of two states of an order, the one with the larger revision is kept. New orders
 * are inserted by their ids, which increase with time; those older than the last loaded one are
 * left to later pages. An order whose new state no longer matches leaves the list. Returns the same
 * list if nothing changes.
 */
export function mergeOrders(list: OrderList, changes: readonly Order[]): OrderList {
  const newer = new Map<string, Order>();
  for (const order of changes) {
    if (order.revision > (newer.get(order.id)?.revision ?? -1n)) newer.set(order.id, order);
  }
  let changed = false;
  const orders = list.orders.flatMap((order) => {
    const change = newer.get(order.id);
    newer.delete(order.id);
    if (!change || change.revision <= order.revision) return [order];
    changed = true;
    return list.matches(change) ? [change] : [];
  });
  const isFresh = (order: Order) => order.id >= list.fromId && list.matches(order);
  const fresh = [...newer.values()].filter(isFresh);
  if (fresh.length === 0) return changed ? { ...list, orders } : list;
  const all = [...orders, ...fresh].sort((a, b) => (a.id < b.id ? 1 : -1));
  if (all.length <= list.limit) return { ...list, orders: all };
  const kept = all.slice(0, list.limit);
  return { ...list, orders: kept, fromId: kept.at(-1)?.id ?? "", rest: { kind: "dropped" } };
}

/** A page of orders, as the service returns it. */
export type OrderPage = { readonly orders: readonly Order[]; readonly nextPageToken: string };

/** Appends a page to the list. Orders that are in both keep their newest state. */
export function appendOrders(list: OrderList, page: OrderPage): OrderList {
  const shown = new Set(list.orders.map(({ id }) => id));
  const orders = [...list.orders, ...page.orders.filter(({ id }) => !shown.has(id))];
  const limit = Math.max(list.limit, orders.length);
  return mergeOrders({ ...list, orders, ...endOf(page), limit }, page.orders);
}

/** Creates a list from a first page of the orders that match. */
export function listOf(
  page: OrderPage,
  matches: (order: Order) => boolean = () => true,
): OrderList {
  const limit = Math.max(listedOrders, page.orders.length);
  return { orders: page.orders, matches, ...endOf(page), limit };
}

function endOf({ orders, nextPageToken }: OrderPage): Pick<OrderList, "fromId" | "rest"> {
  if (nextPageToken === "") return { fromId: "", rest: { kind: "none" } };
  return { fromId: orders.at(-1)?.id ?? "", rest: { kind: "page", token: nextPageToken } };
}

/** Returns how many orders to load for a list, again if there is one: then as many as it has. */
export function pageSizeOf(list: OrderList | undefined): number {
  return Math.min(maxPageSize, Math.max(firstPageSize, list?.orders.length ?? 0));
}

/** Returns the largest revision of the orders; 0 if there are none. */
export function revisionOf(orders: readonly Order[]): bigint {
  return orders.reduce((max, { revision }) => (revision > max ? revision : max), 0n);
}
