import assert from "node:assert/strict";
import { create, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { type Order, OrderSchema, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { successOf } from "../harness/calls/call.ts";
import { pathOf } from "../harness/calls/protocols.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import {
  createHistory,
  createShopper,
  defaultCurrency as currency,
} from "../harness/checker/history.ts";
import {
  type Replica,
  type ServiceName,
  type System,
  startSystem,
} from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const { createOrder } = OrdersService.method;
const { PAID, PAYMENT_DECLINED, PENDING_PAYMENT } = OrderStatus;
const userId = "patient";

type Held = { readonly order: Order; readonly applied: string | null; readonly replayed: boolean };

describe("createOrder with Prefer: wait", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
    await createShopper(history, system.call).fundedAccount(userId, 1_000n);
  });
  after(() => system?.[Symbol.asyncDispose]());

  const note = (description: string, amountMinor: bigint, order: Order) => {
    const created = { ...order, status: PENDING_PAYMENT };
    history.orders.push({
      userId,
      amountMinor,
      currency,
      description,
      outcome: "ok",
      order: created,
    });
  };
  const place = async (
    url: string,
    { prefer, amountMinor = 10n, key }: { prefer: string; amountMinor?: bigint; key?: string },
    description = `prefers ${prefer} ${crypto.randomUUID()}`,
  ): Promise<Held & { readonly description: string }> => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: await authorizationOf(userId),
        prefer,
        ...(key !== undefined && { "idempotency-key": key }),
      },
      body: JSON.stringify({
        userId,
        amount: { minorUnits: String(amountMinor), currency },
        description,
      }),
    });
    assert.equal(response.status, 200);
    const order = fromJson(OrderSchema, (await response.json()) as never);
    const replayed = response.headers.get("idempotency-replayed") === "true";
    if (!replayed) note(description, amountMinor, order);
    const applied = response.headers.get("preference-applied");
    return { order, applied, replayed, description };
  };
  const rest = () => `${system.edgeUrl}/gateway/orders`;

  it("returns the settled order over REST", async () => {
    const paid = await place(rest(), { prefer: "wait=10" });
    assert.equal(paid.order.status, PAID);
    assert.equal(paid.applied, "wait=10");
    const declined = await place(rest(), { prefer: "wait=5", amountMinor: 100_000n });
    assert.equal(declined.order.status, PAYMENT_DECLINED);
    const atOnce = await place(rest(), { prefer: "return=minimal" });
    assert.equal(atOnce.order.status, PENDING_PAYMENT);
    assert.equal(atOnce.applied, null);
  });

  it("is refused if it is said twice, before there is an order", async () => {
    const authorization = await authorizationOf(userId);
    const headers = new Headers({ "content-type": "application/json", authorization });
    for (const seconds of [5, 1]) headers.append("prefer", `wait=${seconds}`);
    const body = JSON.stringify({ userId, amount: { minorUnits: "10", currency } });
    for (const url of [rest(), `${system.edgeUrl}${pathOf(createOrder)}`]) {
      const response = await fetch(url, { method: "POST", headers, body });
      assert.equal(response.status, 400);
      assert.match(await response.text(), /prefer: must contain wait only once/);
    }
  });

  it("returns the settled order over gRPC", async () => {
    const client = new Client(new URL(system.edgeUrl).host, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set("authorization", await authorizationOf(userId));
    metadata.set("prefer", "wait=10");
    const description = "prefers by gRPC";
    let applied: unknown;
    const order = await new Promise<Order>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        pathOf(createOrder),
        (message) => Buffer.from(toBinary(createOrder.input, message)),
        (bytes: Buffer) => fromBinary(createOrder.output, bytes),
        create(createOrder.input, { userId, amount: { minorUnits: 10n, currency }, description }),
        metadata,
        (error, message) => (message ? resolve(message) : reject(error)),
      );
      call.on("metadata", (headers) => {
        [applied] = headers.get("preference-applied");
      });
    });
    client.close();
    note(description, 10n, order);
    assert.equal(order.status, PAID);
    assert.equal(applied, "wait=10");
  });

  it("returns an order that another replica has settled", async () => {
    const second = await system.start("orders");
    const heldMs: number[] = [];
    const held = Array.from({ length: 40 }, async (_, nth) => {
      const { url } = nth % 2 === 0 ? replicas.orders : second;
      const startMs = performance.now();
      const { order } = await place(`${url}${pathOf(createOrder)}`, { prefer: "wait=10" });
      heldMs.push(performance.now() - startMs);
      return order.status;
    });
    assert.deepEqual(new Set(await Promise.all(held)), new Set([PAID]));
    assert.ok(Math.max(...heldMs) < 9_000, "nobody was held until the time was up");
    await second.stop();
  });

  it("returns the pending order on timeout, and waits again when repeated", async () => {
    await replicas.payments.kill();
    const key = "asked-twice";
    const first = await place(rest(), { prefer: "wait=1", key });
    assert.equal(first.order.status, PENDING_PAYMENT);
    assert.equal(first.applied, "wait=1");
    const again = place(rest(), { prefer: "wait=10", key }, first.description);
    const { port } = replicas.payments;
    replicas = { ...replicas, payments: await system.start("payments", { port }) };
    const second = await again;
    assert.equal(second.order.id, first.order.id);
    assert.equal(second.order.status, PAID);
    assert.equal(second.replayed, true);
    assert.equal(second.applied, "wait=10");
  });

  it("leaves the system consistent", async () => {
    await successOf(createShopper(history, system.call).createOrder(userId, 1n));
    await assertWholeAfterwards(system, history);
  });
});
