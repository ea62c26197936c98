import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import {
  AccountAlreadyExistsError,
  connect,
  createSettle,
  DeclineReason,
  grpc,
  grpcWeb,
  IdempotencyKeyReusedError,
  type Order,
  OrderNotCancellableError,
  OrderNotFoundError,
  OrderStatus,
  PaymentOutcome,
  PermissionDeniedError,
  type TransportFactory,
  ValidationFailedError,
} from "@settle/sdk/node";
import { createSettleOps } from "@settle/sdk/ops";
import { successOf } from "../harness/calls/call.ts";
import { createSdkCaller } from "../harness/calls/sdk-caller.ts";
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
import { openTestIssuer, tokenOf } from "../harness/system/tokens.ts";

const transports: Readonly<Record<string, TransportFactory>> = {
  "Connect in JSON": connect(),
  "Connect in binary": connect({ binary: true }),
  "gRPC-Web": grpcWeb(),
  gRPC: grpc(),
};
const { PENDING_PAYMENT, PAID, PAYMENT_DECLINED } = OrderStatus;
const eur = (minorUnits: bigint) => ({ minorUnits, currency });

describe("the SDK", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;
  let stop: AbortController;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
  });
  after(() => system?.[Symbol.asyncDispose]());
  beforeEach(() => {
    stop = new AbortController();
  });
  afterEach(() => stop.abort());

  const settleOf = (
    userId: string,
    transport: TransportFactory,
    scopes?: readonly string[],
    baseUrl = system.edgeUrl,
  ) =>
    createSettle({
      baseUrl,
      transport,
      token: () => tokenOf(userId, scopes),
      timeoutMs: 40_000,
    });
  /** Every transport, through the edge and directly, where a kill breaks the connection. */
  const allWays = () =>
    Object.entries(transports).flatMap(([protocol, transport]) => [
      { way: `${protocol} at the edge`, transport, baseUrl: system.edgeUrl },
      { way: `${protocol} at the service`, transport, baseUrl: replicas.orders.url },
    ]);
  const note = (userId: string, description: string, order: Order) => {
    const { minorUnits: amountMinor = 0n } = order.amount ?? {};
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

  for (const [protocol, transport] of Object.entries(transports)) {
    it(`completes the lifecycle of an order by ${protocol}`, async () => {
      const userId = `sdk-${protocol}`.toLowerCase().replaceAll(" ", "-");
      await using caller = createSdkCaller({ baseUrl: system.edgeUrl, transport });
      const shopper = createShopper(history, caller.call);
      await shopper.fundedAccount(userId, 1_000n);
      const { orders, payments } = caller.clientOf(userId);
      await assert.rejects(payments.createAccount({ userId }), AccountAlreadyExistsError);

      const description = `waits ${userId}`;
      const request = { userId, amount: eur(250n), description };
      const key = { idempotencyKey: `key of ${userId}`.replaceAll(" ", "-") };
      const paid = await orders.createOrder(request, { waitS: 10, ...key });
      note(userId, description, paid);
      assert.equal(paid.status, PAID);
      const replayed = await orders.createOrder(request, key);
      assert.equal(replayed.id, paid.id);
      const other = orders.createOrder({ ...request, description: "other" }, key);
      await assert.rejects(other, IdempotencyKeyReusedError);
      assert.equal((await orders.getOrder({ userId, orderId: paid.id })).status, PAID);
      const payment = await payments.getPayment({ userId, orderId: paid.id });
      assert.equal(payment.outcome, PaymentOutcome.PAID);
      await assert.rejects(orders.cancelOrder({ userId, orderId: paid.id }), (error) => {
        assert.ok(error instanceof OrderNotCancellableError, String(error));
        assert.equal(error.metadata.status, "ORDER_STATUS_PAID");
        assert.match(error.requestId, /./);
        return true;
      });
      await assert.rejects(
        orders.cancelOrder({ userId, orderId: crypto.randomUUID() }),
        OrderNotFoundError,
      );
      await assert.rejects(payments.deposit({ userId, amount: eur(0n) }), ValidationFailedError);
      await assert.rejects(payments.getAccount({ userId: "somebody" }), PermissionDeniedError);

      const declined = await successOf(shopper.createOrder(userId, 5_000n));
      for await (const { order } of orders.watchOrders({ userId }, { signal: stop.signal })) {
        if (order.id !== declined.id || order.status === PENDING_PAYMENT) continue;
        assert.equal(order.status, PAYMENT_DECLINED);
        assert.equal(order.declineReason, DeclineReason.INSUFFICIENT_FUNDS);
        break;
      }
      const all = await Array.fromAsync(orders.allOrders({ userId, pageSize: 1 }));
      assert.deepEqual(
        all.map(({ id }) => id),
        [declined.id, paid.id],
      );
      const entries = await Array.fromAsync(payments.allLedgerEntries({ userId, pageSize: 1 }));
      assert.deepEqual(
        entries.map(({ amount }) => amount?.minorUnits),
        [-250n, 1_000n],
      );
    });
  }

  it("completes a call exactly once though its service is killed, over every transport", async () => {
    const userId = "sdk-survivor";
    await createShopper(history, system.call).fundedAccount(userId, 100n);
    // Keeps the calls waiting when orders is killed.
    await replicas.payments.kill();
    const held = allWays().map(async ({ way, transport, baseUrl }) => {
      const description = `held by ${way}`;
      let replayed: string | null = null;
      await using settle = settleOf(userId, transport, [], baseUrl);
      const order = await settle.orders.createOrder(
        { userId, amount: eur(10n), description },
        {
          waitS: 10,
          onHeaders: (headers) => {
            replayed = headers.get("idempotency-replayed");
          },
        },
      );
      note(userId, description, order);
      return [order.status, replayed];
    });
    const stored = async () => {
      const sql = "SELECT id FROM orders WHERE user_id = $1";
      return (await system.databases.orders.query(sql, [userId])).rows.length;
    };
    await eventually("every call has stored its order", async () =>
      (await stored()) === held.length ? true : undefined,
    );
    await replicas.orders.kill();
    const { orders, payments } = replicas;
    replicas = {
      orders: await system.start("orders", { port: orders.port }),
      payments: await system.start("payments", { port: payments.port }),
    };
    assert.deepEqual(
      await Promise.all(held),
      held.map(() => [PAID, "true"]),
    );
    assert.equal(await stored(), held.length);
    await system.healthy();
  });

  it("completes many calls at once with its defaults though their service restarts", async () => {
    const userId = "sdk-crowd";
    await createShopper(history, system.call).fundedAccount(userId, 61n);
    await using settle = createSettle({
      baseUrl: system.edgeUrl,
      token: () => tokenOf(userId),
    });
    await replicas.orders.kill();
    const placed = Array.from({ length: 61 }, async (_, index) => {
      const description = `in a crowd ${index}`;
      const order = await settle.orders.createOrder({ userId, amount: eur(1n), description });
      note(userId, description, order);
    });
    replicas = {
      ...replicas,
      orders: await system.start("orders", { port: replicas.orders.port }),
    };
    await Promise.all(placed);
    const all = await Array.fromAsync(settle.orders.allOrders({ userId }));
    assert.equal(all.length, placed.length);
  });

  it("resumes a watch after a kill and a stop of the service, without gaps or repeats, over every transport", async () => {
    const userId = "sdk-watcher";
    const shopper = createShopper(history, system.call);
    await shopper.fundedAccount(userId, 100n);
    const followers = allWays().map(({ way, transport, baseUrl }) => {
      const seen: string[] = [];
      const known = new Map<string, OrderStatus>();
      const follower = { way, seen, known, cuts: 0 };
      const running = (async () => {
        await using settle = settleOf(userId, transport, [], baseUrl);
        const onCut = () => {
          follower.cuts += 1;
        };
        const { signal } = stop;
        let last = 0n;
        for await (const { order, revision } of settle.orders.watchOrders(
          { userId },
          { signal, onCut },
        )) {
          assert.ok(revision > last, `${revision} after ${last} by ${way}`);
          last = revision;
          seen.push(`${order.id} ${revision}`);
          known.set(order.id, order.status);
        }
      })();
      return { follower, running };
    });
    const everybodyKnows = (placed: readonly Order[]) =>
      eventually("everybody has seen every order paid", () =>
        followers.every(({ follower: { known } }) =>
          placed.every(({ id }) => known.get(id) === PAID),
        )
          ? true
          : undefined,
      );
    const placed: Order[] = [];
    const place = async () => placed.push(await successOf(shopper.createOrder(userId, 1n)));
    await place();
    await everybodyKnows(placed);
    for (const end of ["kill", "stop"] as const) {
      const cutsBefore = followers.map(({ follower }) => follower.cuts);
      await replicas.orders[end]();
      const { port } = replicas.orders;
      replicas = { ...replicas, orders: await system.start("orders", { port }) };
      await system.healthy();
      for (let order = 0; order < 10; order += 1) await place();
      await everybodyKnows(placed);
      for (const [index, { follower }] of followers.entries()) {
        assert.ok(
          follower.cuts > (cutsBefore[index] ?? 0),
          `${follower.way} was not cut by ${end}`,
        );
      }
    }
    stop.abort();
    for (const { follower, running } of followers) {
      await running;
      assert.equal(new Set(follower.seen).size, follower.seen.length);
    }
  });

  it("keeps a watch open beyond the life of each token, by every protocol", async () => {
    const userId = "sdk-renewer";
    const shopper = createShopper(history, system.call);
    await shopper.fundedAccount(userId, 100n);
    const { sign } = await openTestIssuer();
    const watching = Object.entries(transports).map(async ([protocol, transport]) => {
      let brought = 0;
      const token = () => {
        brought += 1;
        return sign({ userId, lifetimeS: 2 });
      };
      await using settle = createSettle({ baseUrl: system.edgeUrl, transport, token });
      const { signal } = stop;
      const watch = settle.orders.watchOrders({ userId }, { signal, heartbeats: true });
      for await (const change of watch) {
        if (change.kind === "heartbeat" && brought === 3) await shopper.createOrder(userId, 1n);
        if (change.kind === "order" && brought >= 3) break;
      }
      return protocol;
    });
    assert.deepEqual(await Promise.all(watching), Object.keys(transports));
  });

  it("ends a watch that is not permitted", async () => {
    for (const transport of Object.values(transports)) {
      await using settle = settleOf("sdk-stranger", transport);
      const watch = settle.orders.watchOrders({ userId: "sdk-watcher" }, { signal: stop.signal });
      await assert.rejects(watch.next(), PermissionDeniedError);
    }
  });

  it("sends only what the edge allows a page to send", async () => {
    const sent = new Set<string>();
    const fetch: typeof globalThis.fetch = (url, init) => {
      for (const [name] of new Headers(init?.headers)) sent.add(name);
      return globalThis.fetch(url, init);
    };
    for (const transport of [connect({ fetch }), grpcWeb({ fetch })]) {
      await using settle = settleOf("sdk-page", transport);
      const order = { userId: "sdk-page", amount: eur(1n), description: `by a page ${sent.size}` };
      note("sdk-page", order.description, await settle.orders.createOrder(order, { waitS: 5 }));
      await settle.orders.watchOrders({ userId: "sdk-page" }, { heartbeats: true }).next();
    }
    const preflight = await globalThis.fetch(`${system.edgeUrl}/orders.v1.OrdersService/GetOrder`, {
      method: "OPTIONS",
      headers: {
        origin: "http://localhost:5173",
        "access-control-request-method": "POST",
        "access-control-request-headers": [...sent].sort().join(","),
      },
    });
    assert.equal(preflight.status, 200);
    const allowed = preflight.headers.get("access-control-allow-headers")?.split(/, */) ?? [];
    assert.deepEqual(
      [...sent].filter((name) => !allowed.includes(name)),
      [],
    );
    for (const name of ["authorization", "idempotency-key", "prefer"]) assert.ok(sent.has(name));
  });

  it("lets an admin refund, and a single-service client call without the edge", async () => {
    const userId = "sdk-refunded";
    await using caller = createSdkCaller({ baseUrl: replicas.payments.url, transport: grpc() });
    await createShopper(history, caller.call).fundedAccount(userId, 100n);
    const shopper = createShopper(history, system.call);
    const order = await successOf(shopper.createOrder(userId, 40n));
    await eventually("the order is paid", async () => {
      const { payments } = caller.clientOf(userId);
      const payment = payments.getPayment({ userId, orderId: order.id });
      return (await payment.catch(() => undefined))?.outcome === PaymentOutcome.PAID
        ? true
        : undefined;
    });
    await using admin = settleOf("carol", grpc(), ["admin"]);
    const refund = { userId, orderId: order.id, amount: eur(15n) };
    const { refundedAmount } = await admin.payments.refundPayment(refund);
    history.refunds.push({ orderId: order.id, amountMinor: 15n, outcome: "ok" });
    assert.equal(refundedAmount?.minorUnits, 15n);
  });

  for (const [name, transport] of Object.entries(transports)) {
    it(`shows operators the status of each service by ${name}`, async () => {
      const token = await tokenOf("oncall", ["ops.read"]);
      await using ops = createSettleOps({ baseUrl: system.edgeUrl, token, transport });
      for (const service of ["orders", "payments"] as const) {
        // Until the broker has started the consumer.
        const status = await eventually(`${service} consumes`, async () => {
          const seen = await ops[service].getStatus({});
          const [work] = seen.queues;
          return seen.consuming && work && work.consumers > 0n ? seen : undefined;
        });
        assert.equal(status.service, service);
        assert.match(status.version, /^\d+\.\d+\.\d+$/);
        assert.equal(status.migrations[0]?.name, "0001-initial");
        assert.deepEqual(
          status.queues.map((queue) => queue.name),
          ["work", "retry.1s", "retry.10s", "retry.60s", "dead-letters"].map(
            (queue) => `${service}.${queue}`,
          ),
        );
        assert.ok(status.outbox && status.outbox.depth < status.outbox.maxDepth);
        assert.ok(status.startTime && status.readTime && status.migrations[0]?.applyTime);
      }
      await using admin = createSettleOps({
        baseUrl: system.edgeUrl,
        token: await tokenOf("carol", ["admin"]),
        transport,
      });
      await assert.rejects(admin.orders.getStatus({}), PermissionDeniedError);
    });
  }

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});
