import assert from "node:assert/strict";
import { type Order, OrderStatus } from "@settle/sdk";
import { newlySettled } from "../src/live/newly-settled.ts";

const { PENDING_PAYMENT, PAID } = OrderStatus;
const order = (id: string, status: OrderStatus) => ({ id, status }) as Order;
const known = new Map([
  ["b", order("b", PENDING_PAYMENT)],
  ["c", order("c", PAID)],
]);
const news = (sinceId: string | undefined) => {
  const brought = [..."abcde"].map((id) => order(id, id === "e" ? PENDING_PAYMENT : PAID));
  const options = { before: (id: string) => known.get(id), sinceId };
  return newlySettled(brought, options).map(({ id }) => id);
};

describe("a newly settled order", () => {
  it("was pending before, or is newer than the tab's first page", () => {
    assert.deepEqual(news("c"), ["b", "d"]);
    assert.deepEqual(news(""), ["a", "b", "d"]);
  });

  it("is never an unknown one before the tab has its first page", () => {
    assert.deepEqual(news(undefined), ["b"]);
  });
});
