import assert from "node:assert/strict";
import type { DescService } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { eventually } from "@settle/chassis/testing";
import { type Order, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { type Answer, type Caller, refusalOf, successOf } from "../harness/calls/call.ts";
import {
  callBufCurl,
  callConnect,
  callConnectByFetch,
  callGrpcWeb,
  callRest,
  createGrpcCaller,
  pathOf,
} from "../harness/calls/protocols.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { assertFits } from "../harness/documents/openapi-fit.ts";
import {
  type Replica,
  type ServiceName,
  type System,
  startSystem,
} from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const { getOrder } = OrdersService.method;
const { getAccount, getPayment, listLedgerEntries } = PaymentsService.method;

describe("an order", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
  });
  after(() => system?.[Symbol.asyncDispose]());

  const settled = (call: Caller, { userId, id }: Order) =>
    eventually(`order ${id} is settled`, async () => {
      const order = await successOf(call(getOrder, { userId, orderId: id }));
      return order.status === OrderStatus.PENDING_PAYMENT ? undefined : order;
    });

  /** Runs all calls of a user by one protocol; the results do not depend on the protocol. */
  const orderFlow = async (call: Caller, userId: string) => {
    const shopper = createShopper(history, call);
    const currency = "EUR";
    assert.equal((await successOf(shopper.createAccount(userId))).balance?.minorUnits, 0n);
    const again = await refusalOf(shopper.createAccount(userId));
    assert.equal(`${again.code} ${again.reason}`, `${Code.AlreadyExists} ACCOUNT_ALREADY_EXISTS`);
    const funded = await successOf(shopper.deposit(userId, 1_000n));
    assert.equal(funded.balance?.minorUnits, 1_000n);

    const created = await successOf(shopper.createOrder(userId, 250n));
    assert.equal(created.status, OrderStatus.PENDING_PAYMENT);
    const paid = await settled(call, created);
    assert.equal(paid.status, OrderStatus.PAID);
    assert.equal(paid.declineReason, DeclineReason.UNSPECIFIED);
    assert.ok(paid.settleTime && created.createTime);
    assert.ok(timestampMs(paid.settleTime) >= timestampMs(created.createTime));
    assert.ok(paid.revision > created.revision);
    const account = await successOf(call(getAccount, { userId }));
    assert.equal(account.balance?.minorUnits, 750n);

    const tooMuch = await successOf(shopper.createOrder(userId, 751n));
    const declined = await settled(call, tooMuch);
    assert.equal(declined.status, OrderStatus.PAYMENT_DECLINED);
    assert.equal(declined.declineReason, DeclineReason.INSUFFICIENT_FUNDS);
    const foreign = await successOf(shopper.createOrder(userId, 1n, { currency: "JPY" }));
    const mismatched = await settled(call, foreign);
    assert.equal(mismatched.declineReason, DeclineReason.CURRENCY_MISMATCH);
    const nobody = `${userId}-without-account`;
    const orphan = await settled(call, await successOf(shopper.createOrder(nobody, 1n)));
    assert.equal(orphan.status, OrderStatus.PAYMENT_DECLINED);
    assert.equal(orphan.declineReason, DeclineReason.ACCOUNT_NOT_FOUND);

    const { entries } = await successOf(call(listLedgerEntries, { userId }));
    assert.deepEqual(
      entries.map((entry) => [
        entry.kind,
        entry.amount?.minorUnits,
        entry.balanceAfter?.minorUnits,
        entry.orderId,
      ]),
      [
        [LedgerEntryKind.PAYMENT, -250n, 750n, paid.id],
        [LedgerEntryKind.DEPOSIT, 1_000n, 1_000n, ""],
      ],
    );
    for (const [order, outcome] of [
      [paid, PaymentOutcome.PAID],
      [declined, PaymentOutcome.DECLINED],
    ] as const) {
      const payment = await successOf(call(getPayment, { userId, orderId: order.id }));
      assert.equal(payment.outcome, outcome);
      assert.equal(payment.declineReason, order.declineReason);
      assert.deepEqual(payment.amount, { ...order.amount, currency });
    }

    const elsewhere = await refusalOf(call(getOrder, { userId: nobody, orderId: paid.id }));
    assert.equal(`${elsewhere.code} ${elsewhere.reason}`, `${Code.NotFound} ORDER_NOT_FOUND`);
    const invalid = await refusalOf(shopper.createOrder(userId, 0n));
    assert.equal(`${invalid.code} ${invalid.reason}`, `${Code.InvalidArgument} VALIDATION_FAILED`);
    assert.deepEqual(invalid.fields, ["amount"]);
    await currencyRules(call, userId);
  };

  /** No protocol takes a code that never existed, or opens an account in any but an active one. */
  const currencyRules = async (call: Caller, userId: string) => {
    const shopper = createShopper(history, call);
    const amount = "amount.currency";
    for (const [attempt, field] of [
      [shopper.createOrder(userId, 1n, { currency: "ZZZ" }), amount],
      [shopper.deposit(userId, 1n, "ZZZ"), amount],
      [shopper.createAccount(`${userId}-z`, "ZZZ"), "currency"],
      [shopper.createAccount(`${userId}-z`, "BGN"), "currency"],
      [shopper.createAccount(`${userId}-z`, "XAU"), "currency"],
    ] as const) {
      const { code, reason, fields } = await refusalOf(attempt as Promise<Answer<unknown>>);
      assert.deepEqual(
        [code, reason, fields],
        [Code.InvalidArgument, "VALIDATION_FAILED", [field]],
      );
    }
    const withdrawn = await settled(
      call,
      await successOf(shopper.createOrder(userId, 1n, { currency: "BGN" })),
    );
    assert.equal(withdrawn.declineReason, DeclineReason.CURRENCY_MISMATCH);
  };

  const portOf = (service: DescService) =>
    service.typeName === OrdersService.typeName ? replicas.orders.url : replicas.payments.url;

  it("is paid or declined over REST", () =>
    orderFlow(callRest(system.edgeUrl), "-rest+o'b|c@d_e.f"));

  it("is paid or declined over Connect, by plain fetch", () =>
    orderFlow(
      callConnectByFetch(() => system.edgeUrl),
      "_fetch+o'b",
    ));

  it("is paid or declined over Connect, by connect-web", () =>
    orderFlow(callConnect(system.edgeUrl), "+connect"));

  it("is paid or declined over gRPC-Web, by connect-web", () =>
    orderFlow(callGrpcWeb(system.edgeUrl), "'grpc-web"));

  it("is paid or declined over gRPC, by grpc-js", async () => {
    using caller = createGrpcCaller(() => system.edgeUrl);
    await orderFlow(caller.call, "@grpc");
  });

  it("is paid or declined over gRPC, by buf curl and reflection", () =>
    orderFlow(callBufCurl(system.edgeUrl), "--buf-curl"));

  it("is paid or declined directly at the services over HTTP/1.1", () =>
    orderFlow(callConnectByFetch(portOf), "straight"));

  it("is paid or declined directly at the services over gRPC", async () => {
    using caller = createGrpcCaller(portOf);
    await orderFlow(caller.call, "straight-grpc");
  });

  it("may be refunded above the limit of deposits, which every protocol and the document show", async () => {
    const userId = "rich";
    const [limit, largest] = [1_000_000_000_000_000n, 1_000_000_000_000n];
    using caller = createGrpcCaller(portOf);
    const shopper = createShopper(history, caller.call);
    await successOf(shopper.createAccount(userId));
    const deposit = () => successOf(shopper.deposit(userId, largest));
    await Promise.all(Array.from({ length: Number(limit / largest) }, deposit));
    const order = await settled(caller.call, await successOf(shopper.createOrder(userId, largest)));
    assert.equal(order.status, OrderStatus.PAID);
    assert.equal((await deposit()).balance?.minorUnits, limit);

    const path = `${system.edgeUrl}/gateway/payments/accounts/${userId}`;
    const fits = async (url: string, authorization: string, schema: string, method = "GET") => {
      const headers = { authorization, "content-type": "application/json" };
      const response = await fetch(url, {
        method,
        headers,
        ...(method === "POST" && { body: "{}" }),
      });
      const body = (await response.json()) as {
        readonly balance?: { readonly minorUnits: string };
      };
      assert.equal(response.status, 200, JSON.stringify(body));
      assertFits(`#/components/schemas/${schema}`, body);
      return body;
    };
    const admin = await authorizationOf("root", ["admin"]);
    await fits(`${path}/payments/${order.id}:refund`, admin, "payments.v1.Payment", "POST");
    history.refunds.push({ orderId: order.id, amountMinor: largest, outcome: "ok" });

    const balance = limit + largest;
    const mine = await authorizationOf(userId);
    const account = await fits(path, mine, "payments.v1.Account");
    assert.equal(account.balance?.minorUnits, String(balance));
    await fits(`${path}/entries`, mine, "payments.v1.ListLedgerEntriesResponse");
    using grpc = createGrpcCaller(() => system.edgeUrl);
    for (const call of [
      callRest(system.edgeUrl),
      callConnectByFetch(() => system.edgeUrl),
      callConnect(system.edgeUrl),
      callGrpcWeb(system.edgeUrl),
      grpc.call,
      callBufCurl(system.edgeUrl),
    ]) {
      assert.equal((await successOf(call(getAccount, { userId }))).balance?.minorUnits, balance);
      const { entries } = await successOf(call(listLedgerEntries, { userId, pageSize: 1 }));
      assert.equal(entries[0]?.balanceAfter?.minorUnits, balance);
    }
    const more = await refusalOf(shopper.deposit(userId, 1n));
    assert.equal(more.reason, "BALANCE_LIMIT_EXCEEDED");
    const next = await settled(caller.call, await successOf(shopper.createOrder(userId, largest)));
    assert.equal(next.status, OrderStatus.PAID);
  });

  it("is found by a user id with signs in a path, escaped or not, and in a query", async () => {
    const userId = "-rest+o'b|c@d_e.f";
    const headers = { authorization: await authorizationOf(userId) };
    const escaped = [...userId].map((sign) => `%${sign.charCodeAt(0).toString(16)}`).join("");
    for (const written of [userId, encodeURIComponent(userId), escaped]) {
      const listed = await fetch(`${system.edgeUrl}/gateway/orders/${written}`, { headers });
      const { orders } = (await listed.json()) as { orders: { userId: string }[] };
      assert.ok(orders.length > 0);
      for (const order of orders) assert.equal(order.userId, userId);
      const watched = await fetch(`${system.edgeUrl}/gateway/orders/${written}:watch`, { headers });
      assert.equal(watched.status, 200, written);
      await watched.body?.cancel();
    }
  });

  it("is shown over a Connect GET, whose answer is not stored", async () => {
    const userId = "+connect";
    const message = JSON.stringify({ userId, pageSize: 1 });
    const query = new URLSearchParams({ connect: "v1", encoding: "json", message });
    const path = pathOf(OrdersService.method.listOrders);
    for (const url of [system.edgeUrl, replicas.orders.url]) {
      const headers = { authorization: await authorizationOf(userId) };
      const answer = await fetch(`${url}${path}?${query}`, { headers });
      const { orders } = (await answer.json()) as { orders: { userId: string }[] };
      assert.deepEqual(
        orders.map((order) => order.userId),
        [userId],
      );
      assert.equal(answer.headers.get("cache-control"), "no-store");
    }
  });

  it("is shown for a request that is compressed with gzip, by every protocol", async () => {
    const userId = "@grpc";
    const headers = { authorization: await authorizationOf(userId) };
    for (const baseUrl of [system.edgeUrl, replicas.orders.url]) {
      const compressed = { sendCompression: compressionGzip, compressMinBytes: 1 };
      const options = { baseUrl, httpVersion: "1.1", ...compressed } as const;
      for (const transport of [
        createConnectTransport(options),
        createConnectTransport({ ...options, useBinaryFormat: true }),
        createGrpcWebTransport(options),
        createGrpcTransport({ baseUrl, ...compressed }),
      ]) {
        const client = createClient(OrdersService, transport);
        const { orders } = await client.listOrders({ userId, pageSize: 1 }, { headers });
        assert.equal(orders[0]?.userId, userId);
      }
    }
  });

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});
