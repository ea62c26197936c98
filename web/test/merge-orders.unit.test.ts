import assert from "node:assert/strict";
import { type Order, OrderStatus } from "@settle/sdk";
import {
  appendOrders,
  listedOrders,
  listOf,
  mergeOrders,
  pageSizeOf,
  revisionOf,
} from "../src/live/merge-orders.ts";
import { createRecentOrders } from "../src/live/recent-orders.ts";

const order = (id: string, revision: number, status: OrderStatus = OrderStatus.PAID) =>
  ({ id, revision: BigInt(revision), status }) as Order;
const ids = ({ orders }: { readonly orders: readonly Order[] }) =>
  orders.map(({ id, revision }) => `${id}${revision}`).join(" ");

describe("a list of orders", () => {
  const list = listOf({ orders: [order("d", 8), order("c", 3)], nextPageToken: "older" });

  it("keeps the newer of two states, in any order of arrival", () => {
    assert.equal(ids(mergeOrders(list, [order("c", 9), order("c", 4)])), "d8 c9");
    assert.equal(ids(mergeOrders(list, [order("c", 4), order("c", 9)])), "d8 c9");
    assert.equal(mergeOrders(list, [order("c", 3), order("d", 7)]), list);
  });

  it("inserts new orders by id, and leaves older ones to their pages", () => {
    assert.equal(ids(mergeOrders(list, [order("e", 9), order("f", 10)])), "f10 e9 d8 c3");
    assert.equal(mergeOrders(list, [order("b", 11)]), list);
    const whole = listOf({ orders: [order("d", 8)], nextPageToken: "" });
    assert.equal(ids(mergeOrders(whole, [order("b", 11)])), "d8 b11");
  });

  it("takes in only what matches, and drops what no longer does", () => {
    const isPaid = ({ status }: Order) => status === OrderStatus.PAID;
    const paid = listOf({ orders: [order("d", 8), order("c", 3)], nextPageToken: "older" }, isPaid);
    const pending = order("e", 9, OrderStatus.PENDING_PAYMENT);
    assert.equal(mergeOrders(paid, [pending]), paid);
    assert.equal(ids(mergeOrders(paid, [order("e", 10)])), "e10 d8 c3");
    const gone = mergeOrders(paid, [order("c", 11, OrderStatus.REFUNDED)]);
    assert.equal(ids(gone), "d8");
    // The next page begins after the order that has left: one before it belongs here.
    assert.equal(ids(mergeOrders(gone, [order("cc", 12), order("b", 13)])), "d8 cc12");
  });

  it("drops the oldest orders beyond its limit, and records that", () => {
    const many = Array.from({ length: listedOrders + 5 }, (_, n) => order(`e${1_000 + n}`, 20 + n));
    const long = mergeOrders(list, many);
    assert.equal(long.orders.length, listedOrders);
    assert.equal(long.orders[0]?.id, `e${1_000 + listedOrders + 4}`);
    assert.deepEqual(long.rest, { kind: "dropped" });
  });

  it("appends a page without duplicates or older states", () => {
    const page = { orders: [order("c", 2), order("b", 2)], nextPageToken: "" };
    const all = appendOrders(list, page);
    assert.equal(ids(all), "d8 c3 b2");
    assert.deepEqual(all.rest, { kind: "none" });
  });

  it("is loaded again with as many orders as it has, within the limits of a page", () => {
    const listWith = (count: number) =>
      listOf({
        orders: Array.from({ length: count }, (_, n) => order(`o${n}`, n)),
        nextPageToken: "",
      });
    assert.equal(pageSizeOf(undefined), 50);
    assert.deepEqual(
      [3, 250, 1_200].map((count) => pageSizeOf(listWith(count))),
      [50, 250, 1_000],
    );
  });

  it("has the revision of its newest change", () => {
    assert.equal(revisionOf(list.orders), 8n);
    assert.equal(revisionOf([]), 0n);
  });
});

describe("recent orders", () => {
  it("keep the newest state, report which were new, and correct older responses", () => {
    const recent = createRecentOrders();
    assert.equal(recent.note([order("a", 2), order("a", 1)]).length, 1);
    assert.equal(recent.note([order("a", 2)]).length, 0);
    assert.equal(recent.newest(order("a", 1)).revision, 2n);
    assert.equal(recent.newest(order("a", 3)).revision, 3n);
  });

  it("drop the oldest", () => {
    const recent = createRecentOrders();
    recent.note(Array.from({ length: 2_001 }, (_, n) => order(`o${n}`, n)));
    assert.equal(recent.get("o0"), undefined);
    assert.equal(recent.all().length, 2_000);
  });
});
