import { OrderNotFoundError, ValidationFailedError } from "@settle/sdk";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import {
  appendOrders,
  listedOrders,
  listOf,
  maxPageSize,
  mergeOrders,
  type OrderList,
  pageSizeOf,
} from "../live/merge-orders.ts";
import { keys } from "../live/order-cache.ts";
import { type Client, useClient } from "../session/client.ts";
import {
  isFiltering,
  matcherOf,
  type OrderFilter,
  queryOf,
  requestOf,
  selectionOf,
} from "./order-filter.ts";

/** How many orders are loaded at once at the end of a list. */
const morePageSize = 200;

/** Returns all orders of the user, newest first, kept current by the feed. */
export function useOrders() {
  return useListedOrders({});
}

/**
 * Returns the orders that the filter selects, without regard to its text. While they are loaded,
 * `data` are those of the previous filter.
 */
export function useListedOrders(filter: OrderFilter) {
  const client = useClient();
  return useQuery({
    queryKey: listKey(filter),
    queryFn: () => readListed(client, filter),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });
}

/** The key of the list of all orders, or of the selected ones. */
function listKey(filter: OrderFilter) {
  const query = queryOf(selectionOf(filter));
  return query === "" ? keys.orders : [...keys.orders, query];
}

async function readListed(client: Client, filter: OrderFilter): Promise<OrderList> {
  const { feed, settle, userId, queries, recent, readOrders } = client;
  if (!isFiltering(selectionOf(filter))) return readOrders();
  // Loaded after the start of the feed, so that no change is missed.
  await feed.based;
  const pageSize = pageSizeOf(queries.getQueryData<OrderList>(listKey(filter)));
  const request = { userId, pageSize, ...requestOf(filter) };
  const page = await settle.orders.listOrders(request).first();
  return mergeOrders(listOf(page, matcherOf(filter)), recent.all());
}

/** Loads more orders at the end of the list that the filter selects. */
export async function readMoreOrders(client: Client, filter: OrderFilter): Promise<void> {
  const { settle, userId, queries, recent } = client;
  const key = listKey(filter);
  const list = queries.getQueryData<OrderList>(key);
  if (!list || list.rest.kind === "none") return;
  const { rest } = list;
  // Dropped orders left a gap before the next page: the whole list is loaded again.
  const part =
    rest.kind === "page"
      ? { pageSize: morePageSize, pageToken: rest.token }
      : { pageSize: Math.min(maxPageSize, list.orders.length + listedOrders) };
  const request = { userId, ...part, ...requestOf(filter) };
  const page = await settle.orders.listOrders(request).first();
  queries.setQueryData<OrderList>(key, (now) => {
    // The list was loaded again meanwhile, with another next page.
    if (!now || (rest.kind === "page" && now.rest !== rest)) return now;
    const next = rest.kind === "page" ? appendOrders(now, page) : listOf(page, now.matches);
    return mergeOrders(next, recent.all());
  });
}

/** Returns an order, kept current by the feed; null if there is none with this id. */
export function useOrder(id: string | undefined) {
  const { feed, settle, userId, recent } = useClient();
  return useQuery({
    queryKey: keys.order(id ?? ""),
    enabled: id !== undefined,
    initialData: () => (id === undefined ? undefined : recent.get(id)),
    // Loaded after the start of the feed, so that no change is missed.
    queryFn: async () => {
      await feed.based;
      try {
        return recent.newest(await settle.orders.getOrder({ userId, orderId: id ?? "" }));
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
