import assert from "node:assert/strict";
import type { Order } from "@settle/sdk";
import { QueryClient } from "@tanstack/react-query";
import type { OrderList } from "../src/live/merge-orders.ts";
import { createOrderCache, keys } from "../src/live/order-cache.ts";
import { createOrderReader } from "../src/live/order-reader.ts";

const order = (id: string, revision: bigint) => ({ id, revision }) as Order;

describe("the order reader", () => {
  it("bases the feed on the page, not on responses that arrived during its read", async () => {
    const queries = new QueryClient();
    const { recent, accept } = createOrderCache(queries, () => {});
    const page = Promise.withResolvers<{ orders: Order[]; nextPageToken: string }>();
    const reader = createOrderReader({ queries, recent, readPage: () => page.promise });
    const base = reader.readBase();
    // Revision 6 belongs to another order, about which this page has received nothing.
    accept([order("c", 7n)]);
    page.resolve({ orders: [order("b", 5n), order("a", 4n)], nextPageToken: "" });
    assert.equal(await base, 5n);
    const list = queries.getQueryData<OrderList>(keys.orders);
    assert.deepEqual(list?.orders.map(({ id }) => id).join(), "c,b,a");
  });
});
