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
import { callGrpcWeb } from "../harness/calls/protocols.ts";
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
});
