import type { Order } from "@settle/sdk";
import type { QueryClient } from "@tanstack/react-query";
import { listOf, mergeOrders, type OrderList, revisionOf } from "./merge-orders.ts";
import { keys } from "./order-cache.ts";
import type { RecentOrders } from "./recent-orders.ts";

/** Reads the first page of the orders. */
export type OrderReader = {
  /** The list that it makes, with what has been heard meanwhile; for the query of `keys.orders`. */
  readOrders(): Promise<OrderList>;
  /**
   * Reads it by that query, and answers up to which revision it is current: by the page alone. What
   * answers have told of is above changes of other orders that nobody has told of yet.
   */
  readBase(): Promise<bigint>;
};

/** A reader for what is shown by `queries`. */
export function createOrderReader(options: {
  readonly queries: QueryClient;
  readonly recent: RecentOrders;
  readPage(): Promise<{ readonly orders: readonly Order[]; readonly nextPageToken: string }>;
}): OrderReader {
  const { queries, recent, readPage } = options;
  let base = 0n;
  const readOrders = async () => {
    const page = await readPage();
    base = revisionOf(page.orders);
    recent.note(page.orders);
    return mergeOrders(listOf(page), recent.all());
  };
  return {
    readOrders,
    async readBase() {
      await queries.fetchQuery({ queryKey: keys.orders, queryFn: readOrders });
      return base;
    },
  };
}
