import assert from "node:assert/strict";
import { ConnectError } from "@connectrpc/connect";
import { errorInfoOf } from "@settle/chassis/contract/errors";
import { eventually } from "@settle/chassis/testing";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { contextOf, type OrdersSetup, setupOrders } from "./orders-setup.ts";

const { createOrder } = OrdersService.method;

describe("watching orders", () => {
  let setup: OrdersSetup;
  let stop: AbortController;
  beforeEach(async () => {
    setup = await setupOrders();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await setup[Symbol.asyncDispose]();
  });

  /** Opens a watch; each call of what is returned takes its next answer. */
  const open = (userId: string, afterRevision = 0n) => {
    const answers = setup.watchOrders(userId, stop.signal, afterRevision)[Symbol.asyncIterator]();
    return async () => {
      const { value } = await answers.next();
      const { revision, event } = value;
      return event.case === "order"
        ? [revision, event.value.id, event.value.status]
        : [revision, event.case];
    };
  };
  const { PENDING_PAYMENT, CANCELLED } = OrderStatus;

  it("sends the current orders, then a heartbeat, then each change", async () => {
    const one = await setup.createOrder("alice", "one");
    const two = await setup.createOrder("alice", "two");
    await setup.createOrder("bob", "not hers");
    const next = open("alice");
    assert.deepEqual(await next(), [1n, one.id, PENDING_PAYMENT]);
    assert.deepEqual(await next(), [2n, two.id, PENDING_PAYMENT]);
    assert.deepEqual(await next(), [2n, "heartbeat"]);
    const coming = next();
    await setup.cancelOrder("alice", one.id);
    assert.deepEqual(await coming, [3n, one.id, CANCELLED]);
    const three = await setup.createOrder("alice", "three");
    assert.deepEqual(await next(), [4n, three.id, PENDING_PAYMENT]);
  });

  it("resumes after the given revision, and skips intermediate states", async () => {
    const one = await setup.createOrder("alice", "one");
    const two = await setup.createOrder("alice", "two");
    await setup.cancelOrder("alice", one.id);
    const next = open("alice", 1n);
    assert.deepEqual(await next(), [2n, two.id, PENDING_PAYMENT]);
    assert.deepEqual(await next(), [3n, one.id, CANCELLED]);
    assert.deepEqual(await next(), [3n, "heartbeat"]);
  });

  it("sends all orders, however many are read at a time", async () => {
    const orders = await Promise.all(
      Array.from({ length: 250 }, () => setup.createOrder("alice", "one of many")),
    );
    const next = open("alice");
    const seen: unknown[] = [];
    for (let count = 0; count < orders.length; count += 1) seen.push((await next())[1]);
    assert.deepEqual(new Set(seen), new Set(orders.map(({ id }) => id)));
    assert.deepEqual(await next(), [250n, "heartbeat"]);
  });

  it("wakes for a hint of another replica, and sends nothing if nothing has changed", async () => {
    const next = open("alice");
    assert.deepEqual(await next(), [0n, "heartbeat"]);
    const coming = next();
    setup.hints.tell([{ key: "alice", revision: 9n }]);
    const order = await setup.createOrder("alice", "one");
    await setup.database.query("UPDATE orders SET revision = 10", []);
    setup.hints.tell([{ key: "alice", revision: 10n }]);
    const [revision, id] = await coming;
    assert.ok(revision === 1n || revision === 10n);
    assert.equal(id, order.id);
  });

  it("refuses a user's eleventh stream until one of the ten is closed", async () => {
    const ends = Array.from({ length: 10 }, () => new AbortController());
    const watches = ends.map(({ signal }) =>
      setup.watchOrders("alice", signal)[Symbol.asyncIterator](),
    );
    await Promise.all(watches.map((watch) => watch.next()));
    const open = () => setup.watchOrders("alice", stop.signal)[Symbol.asyncIterator]();
    const refused = await open()
      .next()
      .then(() => assert.fail("it was not refused"), ConnectError.from);
    assert.equal(errorInfoOf(refused)?.reason, "TOO_MANY_STREAMS");
    await setup.watchOrders("bob", stop.signal)[Symbol.asyncIterator]().next();
    const waiting = watches[0]?.next();
    ends[0]?.abort(new Error("gone"));
    await assert.rejects(waiting ?? assert.fail());
    const { value } = await open().next();
    assert.equal(value.event.case, "heartbeat");
    for (const end of ends) end.abort();
  });

  it("holds the response of CreateOrder until the payment is settled or the wait is over", async () => {
    const preferring = (prefer: string) => contextOf(createOrder, "alice", { headers: { prefer } });
    const context = preferring("wait=10");
    const waiting = setup.createOrder("alice", "held", { context });
    const next = open("alice");
    // The watch may have begun before the order was there.
    const [, id] = await next().then((answer) => (answer[1] === "heartbeat" ? next() : answer));
    const cancelledMs = performance.now();
    await setup.cancelOrder("alice", String(id));
    assert.equal((await waiting).status, CANCELLED);
    assert.ok(performance.now() - cancelledMs < 5_000, "it was not held until the time was up");
    assert.equal(context.responseHeader.get("preference-applied"), "wait=10");

    const short = preferring("respond-async, wait=1");
    const order = await setup.createOrder("alice", "not settled in time", { context: short });
    assert.equal(order.status, PENDING_PAYMENT);
    assert.equal(short.responseHeader.get("preference-applied"), "wait=1");
    const none = preferring("wait=soon");
    await setup.createOrder("alice", "nothing that is understood", { context: none });
    assert.equal(none.responseHeader.get("preference-applied"), null);
  });

  it("answers at once instead of holding more responses of a user than are permitted", async () => {
    const waitsPerUser = 3;
    await using limited = await setupOrders({ waitsPerUser });
    const preferring = (userId: string, prefer: string) =>
      contextOf(createOrder, userId, { headers: { prefer } });
    const held = Array.from({ length: waitsPerUser }, () =>
      limited.createOrder("alice", "held", { context: preferring("alice", "wait=10") }),
    );
    await eventually("all are held", async () => {
      const rows = await limited.database.query("SELECT FROM orders", []);
      return rows.length === waitsPerUser ? true : undefined;
    });
    const context = preferring("alice", "wait=10");
    const order = await limited.createOrder("alice", "not held", { context });
    assert.equal(order.status, PENDING_PAYMENT);
    assert.equal(context.responseHeader.get("preference-applied"), null);
    const bobs = preferring("bob", "wait=1");
    const bob = limited.createOrder("bob", "held", { context: bobs });
    const rows = await limited.database.query<{ id: string }>(
      "SELECT id FROM orders WHERE user_id = 'alice'",
      [],
    );
    await Promise.all(rows.map(({ id }) => limited.cancelOrder("alice", id)));
    for (const { status } of await Promise.all(held)) assert.equal(status, CANCELLED);
    const again = preferring("alice", "wait=1");
    await Promise.all([bob, limited.createOrder("alice", "held again", { context: again })]);
    assert.equal(bobs.responseHeader.get("preference-applied"), "wait=1");
    assert.equal(again.responseHeader.get("preference-applied"), "wait=1");
  });
});
