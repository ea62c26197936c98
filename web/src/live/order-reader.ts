import type { Order } from "@settle/sdk";
import type { QueryClient } from "@tanstack/react-query";
import { listOf, mergeOrders, type OrderList, revisionOf } from "./merge-orders.ts";
import { keys } from "./order-cache.ts";
import type { RecentOrders } from "./recent-orders.ts";

/** Loads the first page of the orders. */
export type OrderReader = {
  /** Returns the list, with changes that arrived meanwhile; for the query of `keys.orders`. */
  readOrders(): Promise<OrderList>;
  /**
   * Loads it through that query, and returns the revision up to which the page itself is complete.
   * Responses can have higher revisions than changes of other orders that have not arrived yet.
   */
  readBase(): Promise<bigint>;
};

/** Creates a reader for the data in `queries`. */
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
