import { OrderNotFoundError, ValidationFailedError } from "@settle/sdk";
import { useQuery } from "@tanstack/react-query";
import {
  appendOrders,
  listedOrders,
  listOf,
  mergeOrders,
  type OrderList,
} from "../live/merge-orders.ts";
import { keys } from "../live/order-cache.ts";
import { type Client, useClient } from "../session/client.ts";

const pageSize = 20;
/** As many as one answer may hold. */
const maxPageSize = 1_000;

/** The orders of whoever is signed in, newest first, kept current by the feed. */
export function useOrders() {
  const client = useClient();
  return useQuery({
    queryKey: keys.orders,
    queryFn: client.readOrders,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Reads more orders behind those that are shown. */
export async function readMoreOrders(client: Client): Promise<void> {
  const { settle, userId, queries, recent } = client;
  const list = queries.getQueryData<OrderList>(keys.orders);
  if (!list || list.rest.kind === "none") return;
  const { rest } = list;
  // What was let go left a hole before the page that came next: all of it is read anew.
  const request =
    rest.kind === "page"
      ? { userId, pageSize, pageToken: rest.token }
      : { userId, pageSize: Math.min(maxPageSize, list.orders.length + listedOrders) };
  const page = await settle.orders.listOrders(request).first();
  queries.setQueryData<OrderList>(keys.orders, (now) => {
    if (!now) return now;
    const next = rest.kind === "page" ? appendOrders(now, page) : listOf(page);
    return mergeOrders(next, recent.all());
  });
}

/** One order, kept current by the feed; null if there is none by this id. */
export function useOrder(id: string) {
  const { feed, settle, userId, recent } = useClient();
  return useQuery({
    queryKey: keys.order(id),
    initialData: () => recent.get(id),
    // Read later than where the feed begins, so that no change falls in between.
    queryFn: async () => {
      await feed.based;
      try {
        return recent.newest(await settle.orders.getOrder({ userId, orderId: id }));
      } catch (error) {
        if (error instanceof OrderNotFoundError) return null;
        // What is no order id at all, as a mistyped address has it.
        if (error instanceof ValidationFailedError) return null;
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
