import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import {
  type ListOrdersRequestSchema,
  OrdersService,
} from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { type Answer, type Caller, refusalOf, successOf } from "../harness/calls/call.ts";
import { callGrpcWeb, callRest, createGrpcCaller } from "../harness/calls/protocols.ts";
import { assertWhole, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const { listOrders } = OrdersService.method;
const { listLedgerEntries } = PaymentsService.method;
const pageSize = 2;
const maxPages = 10;

type Page = { readonly ids: readonly string[]; readonly nextPageToken: string };
type List = (pageToken: string, userId?: string) => Promise<Answer<Page>>;

describe("a list", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let call: Caller;
  const orderIds: string[] = [];
  const entryIds: string[] = [];

  before(async () => {
    system = await startSystem();
    await system.startBoth();
    call = system.call;
    const shopper = createShopper(history, call);
    for (const userId of ["reader", "other"]) await shopper.fundedAccount(userId, 5n);
    // More than two pages of each, and enough for the other user to get a page token.
    for (let count = 0; count < 5; count += 1) {
      orderIds.unshift((await successOf(shopper.createOrder("reader", 1n))).id);
      await successOf(shopper.createOrder("other", 1n));
    }
    await assertWhole(system, history);
    const { entries } = await successOf(call(listLedgerEntries, { userId: "reader" }));
    entryIds.push(...entries.map(({ id }) => id));
  });
  after(() => system?.[Symbol.asyncDispose]());

  const orders: List = async (pageToken, userId = "reader") => {
    const answer = await call(listOrders, { userId, pageSize, pageToken });
    if (!answer.ok) return answer;
    const { orders, nextPageToken } = answer.message;
    return { ok: true, message: { ids: orders.map(({ id }) => id), nextPageToken } };
  };
  const entries: List = async (pageToken, userId = "reader") => {
    const answer = await call(listLedgerEntries, { userId, pageSize, pageToken });
    if (!answer.ok) return answer;
    const { entries, nextPageToken } = answer.message;
    return { ok: true, message: { ids: entries.map(({ id }) => id), nextPageToken } };
  };
  const allPages = async (list: List) => {
    const pages: (readonly string[])[] = [];
    let pageToken = "";
    do {
      assert.ok(pages.length < maxPages, "the pages do not end");
      const page = await successOf(list(pageToken));
      pages.push(page.ids);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return pages;
  };
  const assertTokenRefused = async (call: Promise<Answer<Page>>) => {
    const { code, reason } = await refusalOf(call);
    assert.equal(`${code} ${reason}`, `${Code.InvalidArgument} PAGE_TOKEN_INVALID`);
  };

  it("of orders shows each once, the newest first", async () => {
    const pages = await allPages(orders);
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 2, 1],
    );
    assert.deepEqual(pages.flat(), orderIds);
  });

  it("of entries shows each once, the newest first", async () => {
    const pages = await allPages(entries);
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 2, 2],
    );
    assert.deepEqual(pages.flat(), entryIds);
  });

  it("keeps its place while more is added", async () => {
    const first = await successOf(orders(""));
    const added = await successOf(createShopper(history, call).createOrder("reader", 1n));
    const second = await successOf(orders(first.nextPageToken));
    assert.deepEqual([...first.ids, ...second.ids], orderIds.slice(0, 2 * pageSize));
    orderIds.unshift(added.id);
  });

  for (const [name, list, otherList] of [
    ["orders", orders, entries],
    ["entries", entries, orders],
  ] as const) {
    it(`of ${name} refuses a token of another user, of another list and a damaged one`, async () => {
      const { nextPageToken } = await successOf(list(""));
      const foreign = await successOf(list("", "other"));
      const elsewhere = await successOf(otherList(""));
      await assertTokenRefused(list(foreign.nextPageToken));
      await assertTokenRefused(list(elsewhere.nextPageToken));
      await assertTokenRefused(list(nextPageToken.slice(0, -1)));
      await assertTokenRefused(list(`${nextPageToken}A`));
      await assertTokenRefused(list("not a token"));
    });
  }

  it("counts a page size above 1,000 as 1,000, and refuses a negative one", async () => {
    const [many, negative] = [2_000_000_000, -1];
    const userId = "reader";
    const orders = await successOf(call(listOrders, { userId, pageSize: many }));
    assert.equal(orders.nextPageToken, "");
    const entries = await successOf(call(listLedgerEntries, { userId, pageSize: many }));
    assert.equal(entries.nextPageToken, "");
    for (const refused of [
      refusalOf(call(listOrders, { userId, pageSize: negative })),
      refusalOf(call(listLedgerEntries, { userId, pageSize: negative })),
    ]) {
      assert.equal((await refused).reason, "VALIDATION_FAILED");
    }
  });

  it("of an unknown user's orders is empty, and of their entries is refused", async () => {
    const page = await successOf(orders("", "nobody"));
    assert.deepEqual(page, { ids: [], nextPageToken: "" });
    assert.equal((await refusalOf(entries("", "nobody"))).reason, "ACCOUNT_NOT_FOUND");
  });

  describe("of orders", () => {
    // Waits until the orders of the tests above have settled.
    before(() => assertWhole(system, history));

    const idsOf = async (filter: MessageInitShape<typeof ListOrdersRequestSchema>) => {
      const { orders } = await successOf(call(listOrders, { userId: "reader", ...filter }));
      return orders.map(({ id }) => id);
    };
    const createTimeOf = async (index: number) => {
      const { orders } = await successOf(call(listOrders, { userId: "reader" }));
      const createTime = orders.find(({ id }) => id === orderIds[index])?.createTime;
      assert.ok(createTime);
      return createTime;
    };

    it("shows the orders in a status", async () => {
      const { orders } = await successOf(call(listOrders, { userId: "reader" }));
      for (const status of [OrderStatus.PAID, OrderStatus.PAYMENT_DECLINED]) {
        const expected = orders.filter((order) => order.status === status).map(({ id }) => id);
        assert.ok(expected.length > 0);
        assert.deepEqual(await idsOf({ status }), expected);
      }
      assert.deepEqual(await idsOf({ status: OrderStatus.PENDING_PAYMENT }), []);
    });

    it("shows the orders created between two times, both exclusive", async () => {
      const [createdBefore, createdAfter] = [await createTimeOf(0), await createTimeOf(3)];
      assert.deepEqual(await idsOf({ createdBefore, createdAfter }), orderIds.slice(1, 3));
      assert.deepEqual(await idsOf({ createdAfter: createdBefore }), []);
    });

    it("shows an order on exactly one side of a time between two milliseconds", async () => {
      const { seconds, nanos } = await createTimeOf(2);
      const { orders } = await successOf(call(listOrders, { userId: "reader" }));
      for (const offset of [-999_999, -600_000, -400_000, -1, 1, 400_000, 600_000, 999_999]) {
        const ns = seconds * 1_000_000_000n + BigInt(nanos + offset);
        const time = { seconds: ns / 1_000_000_000n, nanos: Number(ns % 1_000_000_000n) };
        const after = await idsOf({ createdAfter: time });
        const before = await idsOf({ createdBefore: time });
        assert.deepEqual(
          [...after, ...before],
          orders.map(({ id }) => id),
        );
        assert.equal(after.includes(orderIds[2] ?? ""), offset < 0, String(offset));
      }
    });

    it("accepts the first and the last time of the contract", async () => {
      const [first, last] = [
        { seconds: 0n },
        { seconds: 253_402_300_799n, nanos: 999_999_999 },
      ] as const;
      const all = await idsOf({});
      assert.deepEqual(await idsOf({ createdAfter: first, createdBefore: last }), all);
      assert.deepEqual(await idsOf({ createdAfter: last }), []);
      assert.deepEqual(await idsOf({ createdBefore: first }), []);
    });

    it("refuses a token made for another filter", async () => {
      const filter = { userId: "reader", pageSize, status: OrderStatus.PAID };
      const { nextPageToken } = await successOf(call(listOrders, filter));
      const { orders } = await successOf(call(listOrders, { ...filter, pageToken: nextPageToken }));
      assert.deepEqual(
        orders.map(({ id }) => id),
        (await idsOf({ status: OrderStatus.PAID })).slice(2, 4),
      );
      for (const status of [OrderStatus.UNSPECIFIED, OrderStatus.PAYMENT_DECLINED]) {
        const other = call(listOrders, { ...filter, status, pageToken: nextPageToken });
        const { code, reason } = await refusalOf(other);
        assert.equal(`${code} ${reason}`, `${Code.InvalidArgument} PAGE_TOKEN_INVALID`);
      }
    });

    it("refuses a status and a time that do not exist", async () => {
      const list = `${system.edgeUrl}/gateway/orders/reader`;
      for (const query of ["status=ORDER_STATUS_LOST", "createdAfter=yesterday"]) {
        const headers = { authorization: await authorizationOf("reader") };
        const response = await fetch(`${list}?${query}`, { headers });
        assert.equal(response.status, 400, query);
        const { details } = (await response.json()) as { details: { reason: string }[] };
        assert.equal(details[0]?.reason, "MALFORMED_REQUEST", query);
      }
      const { reason } = await refusalOf(
        callGrpcWeb(system.edgeUrl)(listOrders, {
          userId: "reader",
          createdAfter: { seconds: 1_000_000_000_000n },
        }),
      );
      assert.equal(reason, "VALIDATION_FAILED");
    });
  });

  // Last, because these orders are inserted without their events.
  describe("pages of large orders", () => {
    it("have a size that clients of every protocol accept", async () => {
      const userId = "u".repeat(128);
      const [id] = orderIds;
      // As many orders as fit on a page, with the longest user id and description.
      const count = 1_000;
      await system.databases.orders.query(
        `INSERT INTO orders SELECT (jsonb_populate_record(orders, jsonb_build_object(
           'id', gen_random_uuid(), 'user_id', $2::text, 'revision', n, 'description', $3::text))).*
         FROM orders, generate_series(1, $4::int) AS n WHERE id = $1`,
        [id, userId, "😀".repeat(1_000), count],
      );
      using grpc = createGrpcCaller(() => system.edgeUrl);
      const protocols = { grpc: grpc.call, rest: callRest(system.edgeUrl), sdk: call };
      for (const [name, list] of Object.entries(protocols)) {
        const sizes: number[] = [];
        let pageToken = "";
        do {
          assert.ok(sizes.length < count, "the pages do not end");
          const page = await successOf(list(listOrders, { userId, pageSize: count, pageToken }));
          sizes.push(page.orders.length);
          pageToken = page.nextPageToken;
        } while (pageToken !== "");
        // A page ends at about 256 KiB, and each of these orders has more than 4 KB.
        assert.ok(Math.max(...sizes) <= 64 && sizes.length <= 20, `${name}: ${sizes}`);
        assert.equal(
          sizes.reduce((sum, size) => sum + size),
          count,
          name,
        );
      }
    });
  });
});
