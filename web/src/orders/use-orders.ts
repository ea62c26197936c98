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
/** The largest page that the service returns. */
const maxPageSize = 1_000;

/** Returns the user's orders, newest first, kept current by the feed. */
export function useOrders() {
  const client = useClient();
  return useQuery({
    queryKey: keys.orders,
    queryFn: client.readOrders,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Loads more orders at the end of the list. */
export async function readMoreOrders(client: Client): Promise<void> {
  const { settle, userId, queries, recent } = client;
  const list = queries.getQueryData<OrderList>(keys.orders);
  if (!list || list.rest.kind === "none") return;
  const { rest } = list;
  // Dropped orders left a gap before the next page: the whole list is loaded again.
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

/** Returns an order, kept current by the feed; null if there is none with this id. */
export function useOrder(id: string) {
  const { feed, settle, userId, recent } = useClient();
  return useQuery({
    queryKey: keys.order(id),
    initialData: () => recent.get(id),
    // Loaded after the start of the feed, so that no change is missed.
    queryFn: async () => {
      await feed.based;
      try {
        return recent.newest(await settle.orders.getOrder({ userId, orderId: id }));
      } catch (error) {
        if (error instanceof OrderNotFoundError) return null;
        // Not a valid order id, such as in a mistyped address.
        if (error instanceof ValidationFailedError) return null;
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
