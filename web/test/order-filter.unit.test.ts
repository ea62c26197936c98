import assert from "node:assert/strict";
import { type Order, OrderStatus } from "@settle/sdk";
import {
  filterOf,
  isFiltering,
  matcherOf,
  queryOf,
  rangeOf,
  requestOf,
} from "../src/orders/order-filter.ts";
import { startOfDay } from "../src/time/day.ts";

const whole = {
  status: "paid",
  from: "2026-11-01",
  to: "2026-11-30",
  text: "a boat & 5 €",
} as const;

describe("the filter of orders", () => {
  it("is the same after a round through the address", () => {
    assert.deepEqual(filterOf(queryOf(whole)), whole);
    assert.deepEqual(filterOf(queryOf({})), {});
    assert.equal(queryOf({}), "");
    assert.equal(queryOf({ status: "declined" }), "?status=declined");
  });

  it("leaves out what an address has wrong", () => {
    assert.deepEqual(filterOf("?status=unknown&from=2026-02-30&to=soon&q=++&page=2"), {});
    assert.equal(isFiltering(filterOf("?status=PAID")), false);
    assert.equal(filterOf(`?q=${"x".repeat(300)}`).text?.length, 200);
  });

  it("asks the service for whole days of this time zone", () => {
    const { status, createdAfter, createdBefore } = requestOf(whole);
    assert.equal(status, OrderStatus.PAID);
    const ms = (at: typeof createdAfter) => Number(at?.seconds) * 1_000 + Number(at?.nanos) / 1e6;
    assert.equal(ms(createdAfter), startOfDay("2026-11-01") - 1);
    assert.equal(ms(createdBefore), startOfDay("2026-12-01"));
    assert.deepEqual(requestOf({ text: "a boat" }), {});
  });

  it("matches the orders that the service would select", () => {
    const orderAt = (ms: number, status: OrderStatus = OrderStatus.PAID) =>
      ({
        status,
        createTime: { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 },
      }) as Order;
    const matches = matcherOf(whole);
    const [start, end] = [startOfDay("2026-11-01"), startOfDay("2026-12-01")];
    assert.deepEqual(
      [start - 1, start, end - 1, end].map((ms) => matches(orderAt(ms))),
      [false, true, true, false],
    );
    assert.equal(matches(orderAt(start, OrderStatus.REFUNDED)), false);
    assert.equal(matcherOf({ text: "a boat" })(orderAt(start)), true);
  });

  it("has named ranges that end today", () => {
    const nowMs = startOfDay("2026-12-01") + 1;
    assert.deepEqual(rangeOf("today", nowMs), { from: "2026-12-01", to: "2026-12-01" });
    assert.deepEqual(rangeOf("week", nowMs), { from: "2026-11-25", to: "2026-12-01" });
  });
});
