import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { type Answer, type Caller, refusalOf, successOf } from "../call.ts";
import { assertWhole, checkTimeoutMs } from "../checker.ts";
import { createHistory, createShopper } from "../history.ts";
import { callRest } from "../protocols.ts";
import { type System, startSystem } from "../system.ts";

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
    call = callRest(system.edgeUrl);
    const shopper = createShopper(history, call);
    for (const userId of ["reader", "other"]) await shopper.fundedAccount(userId, 5n);
    // More than two pages of each, and for the other user enough for a token of its own.
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

  it("of orders is empty for a user nobody has heard of, of entries refused", async () => {
    const page = await successOf(orders("", "nobody"));
    assert.deepEqual(page, { ids: [], nextPageToken: "" });
    assert.equal((await refusalOf(entries("", "nobody"))).reason, "ACCOUNT_NOT_FOUND");
  });
});
