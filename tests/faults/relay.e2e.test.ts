import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { EventBatchSchema } from "@settle/gen/events/v1/event_batch_pb";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import { tapEvents } from "../../tools/release/event-tap.ts";
import { successOf } from "../harness/calls/call.ts";
import { callConnectByFetch } from "../harness/calls/protocols.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { onBroker, startTap, type Tap } from "../harness/system/queues.ts";
import { type System, startSystem } from "../harness/system/system.ts";

const batched = 8;
const { typeName: batchType } = EventBatchSchema;

// The tests build on one another: each leaves an event in the outbox, whose claim expires after ten
// seconds, and the last one waits for all of them.
describe("a relay", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let tap: Tap;

  before(async () => {
    system = await startSystem();
    const payments = await system.start("payments", { port: system.ports.payments });
    await shopperAt(payments.url).fundedAccount("relayed", 100n);
  });
  after(async () => {
    await tap?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  const shopperAt = (url: string) =>
    createShopper(
      history,
      callConnectByFetch(() => url),
    );
  // Reads the stored orders: a caller whose replica dies gets no response.
  const timesPublished = async (label: string) => {
    const { rows } = await system.databases.orders.query<{ id: string }>(
      "SELECT id FROM orders WHERE description LIKE $1",
      [`${label} %`],
    );
    const [order] = rows;
    assert.ok(order && rows.length === 1, `${rows.length} orders begin with ${label}`);
    return tap.events.filter(({ body }) => body.includes(order.id)).length;
  };
  const waitingEvents = async () => {
    const { rows } = await system.databases.orders.query("SELECT id FROM outbox");
    return rows.length;
  };

  it("keeps an event that is bound to no queue", async () => {
    const { adminUrl } = system.broker;
    const { work } = topologyOf("payments");
    const routing = [work, topologyOf("orders").events, OrderCreatedEventSchema.typeName] as const;
    await onBroker(adminUrl, (channel) => channel.unbindQueue(...routing));
    const replica = await system.start("orders");
    await successOf(shopperAt(replica.url).createOrder("relayed", 10n, { label: "unrouted" }));
    await eventually(
      "the event is returned",
      async () =>
        (await readFile(replica.logFile, "utf8")).includes("no queue is bound for this event") ||
        undefined,
    );
    await onBroker(adminUrl, (channel) => channel.bindQueue(...routing));
    await replica.kill();
    assert.equal(await waitingEvents(), 1);
    tap = await startTap(adminUrl, "orders");
  });

  for (const [point, times] of [
    ["relay.before-publish", 0],
    ["relay.after-confirm", 1],
  ] as const) {
    it(`leaves an event in the outbox when it is killed at ${point}`, async () => {
      const before = await waitingEvents();
      const replica = await system.start("orders", { crashAt: `${point}:1` });
      await shopperAt(replica.url).createOrder("relayed", 10n, { label: point });
      await replica.exited;
      assert.equal(await waitingEvents(), before + 1);
      assert.equal(await timesPublished(point), times);
    });
  }

  it("leaves all of a batch in the outbox when it is killed between two of its events", async () => {
    const before = await waitingEvents();
    const messages: (string | undefined)[] = [];
    await using _ = await tapEvents(system.broker.adminUrl, ["orders"], ({ properties }) =>
      messages.push(properties.type),
    );
    // The first call occupies the batcher, so that the others share a transaction.
    const replica = await system.start("orders", { crashAt: `relay.after-confirm:${batched - 1}` });
    const shopper = shopperAt(replica.url);
    await Promise.all(
      Array.from({ length: batched }, () =>
        shopper.createOrder("relayed", 1n, { label: "batched" }),
      ),
    );
    await replica.exited;
    await eventually("a batch was published", () => messages.includes(batchType) || undefined);
    assert.ok((await waitingEvents()) > before + 1);
  });

  it("publishes the events that killed replicas left, and each order is paid once", async () => {
    const next = await system.start("orders", { port: system.ports.orders });
    await successOf(shopperAt(next.url).createOrder("relayed", 10n, { label: "after" }));
    await assertWholeAfterwards(system, history);
    assert.equal(await timesPublished("unrouted"), 1);
    assert.equal(await timesPublished("relay.before-publish"), 1);
    // Otherwise the test would not cover an event that is delivered twice.
    assert.equal(await timesPublished("relay.after-confirm"), 2);
    const { rows } = await system.databases.payments.query<{ balanceMinor: bigint }>(
      `SELECT balance_minor AS "balanceMinor" FROM accounts`,
    );
    assert.deepEqual(rows, [{ balanceMinor: 60n - BigInt(batched) }]);
  });
});
