import assert from "node:assert/strict";
import { type Order, OrderStatus } from "@settle/sdk";
import { QueryClient } from "@tanstack/react-query";
import { listOf, type OrderList } from "../src/live/merge-orders.ts";
import { createOrderCache, keys } from "../src/live/order-cache.ts";

const order = (revision: number, status: OrderStatus) =>
  ({
    id: "a",
    revision: BigInt(revision),
    status,
    ...(status === OrderStatus.PAID && { settleTime: { seconds: 1n, nanos: 0 } }),
  }) as Order;
const pending = order(1, OrderStatus.PENDING_PAYMENT);
const paid = order(2, OrderStatus.PAID);

function createShown() {
  const queries = new QueryClient();
  queries.setQueryData(keys.orders, listOf({ orders: [pending], nextPageToken: "" }));
  queries.setQueryData(keys.order("a"), pending);
  let moves = 0;
  const cache = createOrderCache(queries, () => {
    moves += 1;
  });
  return {
    ...cache,
    look: () => [
      queries.getQueryData<OrderList>(keys.orders)?.orders[0]?.revision,
      queries.getQueryData<Order>(keys.order("a"))?.revision,
      moves,
    ],
  };
}

describe("the order cache", () => {
  it("updates the displayed orders, and reports moved money once", () => {
    const cache = createShown();
    cache.accept([paid]);
    assert.deepEqual(cache.look(), [2n, 2n, 1]);
    cache.accept([paid]);
    cache.accept([pending]);
    assert.deepEqual(cache.look(), [2n, 2n, 1]);
  });

  it("updates every list of orders by what it selects", () => {
    const queries = new QueryClient();
    const isPending = ({ status }: Order) => status === OrderStatus.PENDING_PAYMENT;
    const page = { orders: [pending], nextPageToken: "" };
    const key = [...keys.orders, "?status=pending"];
    queries.setQueryData(keys.orders, listOf(page));
    queries.setQueryData(key, listOf(page, isPending));
    createOrderCache(queries, () => {}).accept([paid]);
    assert.deepEqual(queries.getQueryData<OrderList>(keys.orders)?.orders, [paid]);
    assert.deepEqual(queries.getQueryData<OrderList>(key)?.orders, []);
  });

  it("applies a state that arrived before it was displayed", () => {
    const cache = createShown();
    cache.recent.note([paid]);
    cache.accept([paid]);
    assert.deepEqual(cache.look(), [2n, 2n, 1]);
  });
});
