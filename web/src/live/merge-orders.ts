import type { Order } from "@settle/sdk";

/** How many orders a list keeps that grows by itself. */
export const listedOrders = 200;

/** What of a user's orders is shown, newest first. */
export type OrderList = {
  readonly orders: readonly Order[];
  /**
   * What comes after: nothing, a page to be asked for by its token, or some that were here and have
   * been let go as newer ones came.
   */
  readonly rest:
    | { readonly kind: "none" | "dropped" }
    | { readonly kind: "page"; readonly token: string };
  /** How many to keep; more once somebody has asked for more. */
  readonly limit: number;
};

/**
 * Brings a list up to date. Of two states of an order the one with the larger revision stays. Orders
 * that are new to the list go where their ids, which rise with time, put them; those older than the
 * last one shown are left for the pages to come. Returns the same list if nothing changes.
 */
export function mergeOrders(list: OrderList, changes: readonly Order[]): OrderList {
  const newer = new Map<string, Order>();
  for (const order of changes) {
    if (order.revision > (newer.get(order.id)?.revision ?? -1n)) newer.set(order.id, order);
  }
  let changed = false;
  const orders = list.orders.map((order) => {
    const change = newer.get(order.id);
    newer.delete(order.id);
    if (!change || change.revision <= order.revision) return order;
    changed = true;
    return change;
  });
  const lastId = list.rest.kind === "none" ? "" : (list.orders.at(-1)?.id ?? "");
  const fresh = [...newer.values()].filter(({ id }) => id > lastId);
  if (fresh.length === 0) return changed ? { ...list, orders } : list;
  const all = [...orders, ...fresh].sort((a, b) => (a.id < b.id ? 1 : -1));
  if (all.length <= list.limit) return { ...list, orders: all };
  return { ...list, orders: all.slice(0, list.limit), rest: { kind: "dropped" } };
}

/** Puts a page behind what is shown. Orders that are in both stay as they were last changed. */
export function appendOrders(
  list: OrderList,
  page: { readonly orders: readonly Order[]; readonly nextPageToken: string },
): OrderList {
  const shown = new Set(list.orders.map(({ id }) => id));
  const orders = [...list.orders, ...page.orders.filter(({ id }) => !shown.has(id))];
  const limit = Math.max(list.limit, orders.length);
  return mergeOrders({ orders, rest: restOf(page), limit }, page.orders);
}

/** The list that a first page makes. */
export function listOf(page: {
  readonly orders: readonly Order[];
  readonly nextPageToken: string;
}): OrderList {
  const limit = Math.max(listedOrders, page.orders.length);
  return { orders: page.orders, rest: restOf(page), limit };
}

function restOf({ nextPageToken }: { readonly nextPageToken: string }): OrderList["rest"] {
  return nextPageToken === "" ? { kind: "none" } : { kind: "page", token: nextPageToken };
}

/** The largest revision among the orders; 0 if there are none. */
export function revisionOf(orders: readonly Order[]): bigint {
  return orders.reduce((max, { revision }) => (revision > max ? revision : max), 0n);
}
