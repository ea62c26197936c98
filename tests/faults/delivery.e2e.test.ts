import assert from "node:assert/strict";
import { newId } from "@settle/chassis/base/new-id";
import { retryQueueOf, topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { successOf } from "../harness/calls/call.ts";
import { callConnectByFetch } from "../harness/calls/protocols.ts";
import { assertWhole, assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type Shopper } from "../harness/checker/history.ts";
import {
  depthOf,
  type Event,
  intercept,
  onBroker,
  peek,
  publish,
} from "../harness/system/queues.ts";
import {
  type Replica,
  type ServiceName,
  type System,
  startSystem,
} from "../harness/system/system.ts";

const payments = topologyOf("payments");

describe("a delivery", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let shopper: Shopper;
  let replicas: Readonly<Record<ServiceName, Replica>>;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
    shopper = createShopper(history, system.call);
  });
  after(() => system?.[Symbol.asyncDispose]());

  const waitFor = (queue: string, waiting: number) =>
    eventually(`${queue} holds ${waiting} events`, async () =>
      (await peek(system.broker.adminUrl, queue)).length === waiting ? true : undefined,
    );
  const statusesOf = async (ids: readonly string[]) => {
    const { rows } = await system.databases.orders.query<{ id: string; status: number }>(
      "SELECT id, status FROM orders WHERE id = ANY($1::uuid[])",
      [ids],
    );
    const byId = new Map(rows.map(({ id, status }) => [id, status]));
    return ids.map((id) => byId.get(id));
  };
  const place = async (userId: string, amount: bigint, label: string) =>
    (await successOf(shopper.createOrder(userId, amount, { label }))).id;
  const placeMany = (count: number, userId: string, amount: bigint, label: string) =>
    Promise.all(Array.from({ length: count }, () => place(userId, amount, label)));
  /** Intercepts the events of new orders and returns them instead of delivering them. */
  const interceptOrders = async (placeOrders: () => Promise<readonly string[]>) => {
    let ids: readonly string[] = [];
    const kept = {
      from: "orders",
      to: "payments",
      types: [OrderCreatedEventSchema.typeName],
    } as const;
    const events = await intercept(system.broker.adminUrl, kept, async () => {
      ids = await placeOrders();
      return ids.length;
    });
    return { ids, events };
  };

  it("to two replicas at once, five times, across batches has one effect", async () => {
    const second = await system.start("payments");
    await shopper.fundedAccount("doubled", 1_000n);
    const { ids, events } = await interceptOrders(() => placeMany(40, "doubled", 10n, "doubled"));
    const others = placeMany(40, "doubled", 10n, "beside the doubled");
    await onBroker(system.broker.adminUrl, (channel) =>
      eventually("both replicas take messages", async () =>
        (await depthOf(channel, payments.work)).consumers === 2 ? true : undefined,
      ),
    );
    // Three adjacent copies of each first, for both replicas, and the others later.
    const copies = events.flatMap((event) => Array<Event>(3).fill(event));
    await publish(system.broker.adminUrl, payments.work, copies);
    await publish(system.broker.adminUrl, payments.work, [...events, ...events.toReversed()]);
    await others;
    await assertWhole(system, history);
    assert.deepEqual(new Set(await statusesOf(ids)), new Set([OrderStatus.PAID]));
    await second.kill();
    await assertWhole(system, history);
  });

  it("of an order under another message id gets the same result", async () => {
    await shopper.fundedAccount("announced-again", 100n);
    const { ids, events } = await interceptOrders(() =>
      placeMany(1, "announced-again", 60n, "announced again"),
    );
    const [event] = events;
    assert.ok(event);
    const messageId = newId();
    history.injectedEvents.push(messageId);
    await publish(system.broker.adminUrl, payments.work, [event, { ...event, messageId }]);
    await assertWhole(system, history);
    assert.deepEqual(await statusesOf(ids), [OrderStatus.PAID]);
  });

  it("of a result ahead of its order waits and is applied later", async () => {
    await shopper.fundedAccount("early", 10n);
    await replicas.payments.kill();
    const id = await place("early", 10n, "early");
    // The order is removed before it is paid, and restored after its result.
    const { rows } = await system.databases.orders.query(
      "WITH gone AS (DELETE FROM orders WHERE id = $1 RETURNING *) SELECT to_jsonb(gone) AS row FROM gone",
      [id],
    );
    replicas = { ...replicas, payments: await system.start("payments", replicas.payments) };
    await waitFor(retryQueueOf("orders", "1s"), 1);
    await system.databases.orders.query(
      "INSERT INTO orders SELECT * FROM jsonb_populate_record(NULL::orders, $1)",
      [rows[0]?.row],
    );
    await assertWhole(system, history);
    assert.deepEqual(await statusesOf([id]), [OrderStatus.PAID]);
  });

  it("waits while payments is down, and is processed afterwards", async () => {
    await shopper.fundedAccount("waiting", 1_000n);
    await replicas.payments.kill();
    const ids = await placeMany(50, "waiting", 20n, "waiting");
    assert.deepEqual(new Set(await statusesOf(ids)), new Set([OrderStatus.PENDING_PAYMENT]));
    await waitFor(payments.work, ids.length);
    replicas = { ...replicas, payments: await system.start("payments", replicas.payments) };
    await assertWhole(system, history);
    assert.deepEqual(new Set(await statusesOf(ids)), new Set([OrderStatus.PAID]));
  });

  it("of a refused order inside a batch does not count against the next", async () => {
    await shopper.fundedAccount("batched", 250n);
    await replicas.payments.kill();
    const ids: string[] = [];
    for (const amount of [100n, 200n, 100n]) ids.push(await place("batched", amount, "batched"));
    await waitFor(payments.work, ids.length);
    replicas = { ...replicas, payments: await system.start("payments", replicas.payments) };
    await assertWhole(system, history);
    const { PAID, PAYMENT_DECLINED } = OrderStatus;
    assert.deepEqual(await statusesOf(ids), [PAID, PAYMENT_DECLINED, PAID]);
  });

  it("of 50 orders at once through two replicas pays as many as the balance covers", async () => {
    await system.healthy();
    const second = await system.start("orders");
    await shopper.fundedAccount("raced", 200n);
    const shoppers = [replicas.orders, second].map(({ url }) =>
      createShopper(
        history,
        callConnectByFetch(() => url),
      ),
    );
    const calls = Array.from({ length: 50 }, (_, index) =>
      shoppers[index % 2]?.createOrder("raced", 10n, { label: "raced" }),
    );
    const ids = (await Promise.all(calls)).map((answer) => (answer?.ok ? answer.message.id : ""));
    await assertWhole(system, history);
    const statuses = Map.groupBy(await statusesOf(ids), (status) => status);
    assert.equal(statuses.get(OrderStatus.PAID)?.length, 20);
    assert.equal(statuses.get(OrderStatus.PAYMENT_DECLINED)?.length, 30);
    await second.kill();
  });

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});
