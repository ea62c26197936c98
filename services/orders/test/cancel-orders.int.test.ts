import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { newId } from "@settle/chassis/base/new-id";
import { errorInfoOf } from "@settle/chassis/contract/errors";
import { testClock } from "@settle/chassis/testing";
import { OrderCancelledEventSchema } from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { expireOrders } from "../src/expire-orders.ts";
import { type OrdersSetup, setupOrders } from "./orders-setup.ts";

const { PENDING_PAYMENT, PAID, CANCELLED } = OrderStatus;

describe("cancelling orders", () => {
  let setup: OrdersSetup;
  beforeEach(async () => {
    setup = await setupOrders();
  });
  afterEach(() => setup[Symbol.asyncDispose]());

  const cancelledEvents = async () => {
    const rows = await setup.database.query<{ payload: Uint8Array }>(
      "SELECT payload FROM outbox WHERE type = $1 ORDER BY id",
      [OrderCancelledEventSchema.typeName],
    );
    return rows.map(({ payload }) => fromBinary(OrderCancelledEventSchema, payload));
  };
  const refusalOf = async (call: Promise<unknown>) => {
    const error = await call.then(() => assert.fail("it was not refused"), ConnectError.from);
    const info = errorInfoOf(error);
    return [info?.reason, info?.metadata.status];
  };

  it("cancels the order, publishes one event, and gives the same answer again", async () => {
    const order = await setup.createOrder("alice", "one", { amountMinor: 7n });
    const cancelled = await setup.cancelOrder("alice", order.id);
    assert.equal(cancelled.status, CANCELLED);
    assert.equal(cancelled.revision, order.revision + 1n);
    assert.ok(cancelled.settleTime);
    assert.deepEqual(await setup.cancelOrder("alice", order.id.toUpperCase()), cancelled);
    const [event, ...others] = await cancelledEvents();
    assert.equal(event?.orderId, order.id);
    assert.equal(event.userId, "alice");
    assert.equal(event.amount?.minorUnits, 7n);
    assert.equal(others.length, 0);
  });

  it("refuses an order that is settled, of somebody else, or unknown, and stores nothing", async () => {
    const order = await setup.createOrder("alice", "one");
    await setup.database.query("UPDATE orders SET status = $1 WHERE id = $2", [PAID, order.id]);
    const keys = () => setup.database.query("SELECT key FROM idempotency_keys", []);
    const before = await keys();
    assert.deepEqual(await refusalOf(setup.cancelOrder("alice", order.id)), [
      "ORDER_NOT_CANCELLABLE",
      "ORDER_STATUS_PAID",
    ]);
    for (const [userId, orderId] of [
      ["bob", order.id],
      ["alice", newId()],
    ] as const) {
      const refusal = await refusalOf(setup.cancelOrder(userId, orderId));
      assert.deepEqual(refusal, ["ORDER_NOT_FOUND", undefined]);
    }
    assert.deepEqual(await keys(), before);
    assert.deepEqual(await cancelledEvents(), []);
  });

  it("takes as many statements for a hundred as for one", async () => {
    for (const size of [1, 10, 100]) {
      const orders = await Promise.all(
        Array.from({ length: size }, (_, nth) => setup.createOrder(`user-${nth % 7}`, "one")),
      );
      const before = setup.database.statements.length;
      await Promise.all(orders.map(({ userId, id }) => setup.cancelOrder(userId, id)));
      assert.deepEqual(setup.database.statements.slice(before), [5], `${size} cancellations`);
    }
  });

  it("takes effect once for twenty concurrent calls on one order", async () => {
    const order = await setup.createOrder("alice", "one");
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => setup.cancelOrder("alice", order.id)),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([CANCELLED]));
    assert.equal((await cancelledEvents()).length, 1);
  });

  it("cancels an expired order, on one replica of several", async () => {
    const late = await Promise.all(
      Array.from({ length: 20 }, (_, nth) =>
        setup.createOrder(`user-${nth % 3}`, "late", { expireAfterMs: 1_000 }),
      ),
    );
    assert.ok(late.every(({ expireTime }) => expireTime));
    await setup.createOrder("user-0", "later", { expireAfterMs: 60_000 });
    const endless = await setup.createOrder("user-0", "endless");
    assert.equal(endless.expireTime, undefined);
    await setup.database.query(
      "UPDATE orders SET expire_time = now() - interval '1 s' WHERE description = 'late'",
      [],
    );
    const { outbox, hints } = setup;
    const run = (clock = testClock) => {
      const means = { outbox, hints, clock, newId };
      return setup.database.transaction((transaction) => expireOrders(transaction, means));
    };
    const behind = { ...testClock, earliestMs: () => Date.now() - 60_000 };
    assert.deepEqual(await run(behind), { found: 0, cancelled: 0 });
    const runs = await Promise.all([run(), run(), run()]);
    assert.equal(
      runs.reduce((sum, { cancelled }) => sum + cancelled, 0),
      20,
    );
    assert.equal((await cancelledEvents()).length, 20);
    assert.deepEqual(await run(), { found: 0, cancelled: 0 });
    const open = await setup.database.query(
      "SELECT description FROM orders WHERE status = $1 ORDER BY description",
      [PENDING_PAYMENT],
    );
    assert.deepEqual(open, [{ description: "endless" }, { description: "later" }]);
  });

  const locks = {
    users: "SELECT 1 FROM user_revisions WHERE user_id = 'locked' FOR UPDATE",
    orders: "SELECT 1 FROM orders WHERE user_id = 'locked' FOR UPDATE",
  };
  for (const [what, lock] of Object.entries(locks)) {
    it(`cancels all expired orders but those whose ${what} are locked`, async () => {
      const users = ["locked", "free-1", "free-2"];
      for (const user of users) {
        await setup.createOrder(user, "expired beside a lock", { expireAfterMs: 1_000 });
      }
      await setup.database.query(
        `UPDATE orders SET expire_time = now() - interval '1 s'
       WHERE description = 'expired beside a lock'`,
        [],
      );
      const { outbox, hints } = setup;
      const means = { outbox, hints, clock: testClock, newId };
      const run = () =>
        setup.database.transaction((transaction) => expireOrders(transaction, means));
      await setup.database.transaction(async (transaction) => {
        await transaction.query(lock, []);
        assert.deepEqual(await run(), { found: 2, cancelled: 2 });
        assert.deepEqual(await run(), { found: 0, cancelled: 0 });
      });
      assert.deepEqual(await run(), { found: 1, cancelled: 1 });
    });
  }
});
