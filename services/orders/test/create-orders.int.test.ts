import assert from "node:assert/strict";
import { systemClock } from "@settle/chassis/base/clock";
import { errorInfoOf } from "@settle/chassis/contract/errors";
import type { Database } from "@settle/chassis/database/database";
import { eventually, testLog } from "@settle/chassis/testing";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { createPendingQuota } from "../src/pending-quota.ts";
import { contextOf, type OrdersSetup, setupOrders } from "./orders-setup.ts";

describe("calls of CreateOrder", () => {
  let setup: Awaited<ReturnType<typeof setupOrders>>;
  beforeEach(async () => {
    setup = await setupOrders();
  });
  afterEach(() => setup[Symbol.asyncDispose]());

  const descriptionsOf = async () => {
    const rows = await setup.database.query<{ description: string }>(
      "SELECT description FROM orders ORDER BY id",
      [],
    );
    return rows.map((row) => row.description);
  };

  it("that arrive together are one transaction of as many statements as one call", async () => {
    const { database, createOrder } = setup;
    for (const size of [1, 10, 100]) {
      const before = database.statements.length;
      const calls = Array.from({ length: size }, (_, nth) => createOrder(`user-${nth % 7}`, "one"));
      await Promise.all(calls);
      assert.deepEqual(database.statements.slice(before), [4], `${size} calls`);
    }
    const transactions = await database.query(
      `SELECT DISTINCT orders.xmin::text, keys.xmin::text AS of_keys FROM orders
       JOIN idempotency_keys AS keys USING (user_id)
       WHERE orders.xmin = keys.xmin`,
      [],
    );
    assert.equal(transactions.length, 3, "as the database counts them");
    const [stored] = await database.query<{ events: string }>(
      "SELECT count(*) AS events FROM outbox",
      [],
    );
    assert.deepEqual(stored, { events: "111" });
  });

  it("fail alone when their text cannot be stored, while all others succeed", async () => {
    const { createOrder } = setup;
    const names: string[] = [];
    const outcomes: { name: string; poisoned: boolean; ok: boolean }[] = [];
    for (let round = 0; round < 10; round += 1) {
      const calls = Array.from({ length: 11 }, async (_, nth) => {
        const poisoned = nth === (round * 3) % 11;
        const name = `round ${round} call ${nth}`;
        if (!poisoned) names.push(name);
        const [result] = await Promise.allSettled([
          createOrder("alice", poisoned ? `${name} \u0000` : name),
        ]);
        const ok = result.status === "fulfilled" && result.value.description === name;
        outcomes.push({ name, poisoned, ok });
      });
      await Promise.all(calls);
    }
    const wrong = outcomes.filter(({ poisoned, ok }) => ok === poisoned);
    assert.deepEqual(wrong, []);
    assert.equal(names.length, 100);
    assert.deepEqual((await descriptionsOf()).toSorted(), names.toSorted());
  });

  it("go on for all others while one user is locked, also one who has no orders yet", async () => {
    const { database, createOrder, cancelOrder } = setup;
    const order = await createOrder("old", "before");
    for (const [user, lock] of [
      ["old", "SELECT 1 FROM user_revisions WHERE user_id = 'old' FOR UPDATE"],
      ["new", "INSERT INTO user_revisions VALUES ('new', 1)"],
    ] as const) {
      const rest = Array.from({ length: 40 }, (_, nth) => `user-${nth}`);
      await database.transaction(async (transaction) => {
        await transaction.query(lock, []);
        const cancelled = Promise.allSettled(user === "old" ? [cancelOrder("old", order.id)] : []);
        const others = rest.map((other) => createOrder(other, "beside"));
        await assert.rejects(createOrder(user, "held"), /^UserLockedError/);
        assert.ok((await cancelled).every(({ status }) => status === "rejected"));
        await Promise.all(others);
        await assert.rejects(createOrder(user, "held again"), /^UserLockedError/);
      });
    }
    const descriptions = await descriptionsOf();
    assert.equal(descriptions.length, 81);
    assert.ok(descriptions.every((text) => !text.startsWith("held")));
    for (const user of ["old", "new"]) {
      // A call without a deadline is refused until the user is tried again.
      const go = () => createOrder(user, "afterwards").catch(() => undefined);
      await eventually(`${user} goes on`, go);
    }
  });
});

describe("the quota of pending orders", () => {
  const limit = 200;
  const uncounted = limit / 10;
  const limits = { pendingPerUser: limit };
  const { createOrder: method } = OrdersService.method;

  const place = ({ createOrder }: OrdersSetup, userId: string, count: number) =>
    Promise.allSettled(Array.from({ length: count }, (_, nth) => createOrder(userId, `${nth}`)));
  /** Places orders and returns how many were accepted; all others must be beyond the quota. */
  const placeUpTo = async (setup: OrdersSetup, userId: string, count: number) => {
    const results = await place(setup, userId, count);
    const refused = results.filter((result) => result.status === "rejected");
    for (const { reason } of refused) {
      const { reason: word, metadata } = errorInfoOf(reason) ?? assert.fail(reason);
      assert.equal(word, "QUOTA_EXCEEDED");
      assert.deepEqual(metadata, {
        quota: "pending_orders",
        limit: String(limit),
        retry_after_seconds: "1",
      });
    }
    return count - refused.length;
  };
  /** Places orders until some are refused, and returns how many were accepted. */
  const fillUp = async (setup: OrdersSetup, userId: string) => {
    const size = uncounted;
    for (let accepted = 0; accepted < 10 * limit; ) {
      const placed = await placeUpTo(setup, userId, size);
      accepted += placed;
      if (placed < size) return accepted;
    }
    return assert.fail("none was refused");
  };
  const settleAll = async ({ database }: OrdersSetup, userId: string) => {
    await database.query("UPDATE orders SET status = $2 WHERE user_id = $1", [
      userId,
      OrderStatus.PAID,
    ]);
  };

  it("lets a user reach it, and refuses what is beyond", async () => {
    await using setup = await setupOrders(limits);
    assert.equal(await placeUpTo(setup, "alice", limit), limit);
    const more = await fillUp(setup, "alice");
    assert.ok(more <= limit / 2, `${more} more were accepted`);
    assert.equal(await placeUpTo(setup, "alice", 10), 0);
    assert.equal(await placeUpTo(setup, "bob", 10), 10);
  });

  it("does not count orders that have left PENDING_PAYMENT", async () => {
    await using setup = await setupOrders(limits);
    for (let round = 0; round < 4; round += 1) {
      assert.equal(await placeUpTo(setup, "alice", limit - uncounted), limit - uncounted);
      await settleAll(setup, "alice");
    }
  });

  it("answers a repeated call, keeps no key of a refused one, and has room again", async () => {
    await using setup = await setupOrders(limits);
    const keyed = (key: string) =>
      contextOf(method, "alice", { headers: { "idempotency-key": key } });
    const first = await setup.createOrder("alice", "one", { context: keyed("once") });
    await fillUp(setup, "alice");
    const again = keyed("once");
    assert.deepEqual(await setup.createOrder("alice", "one", { context: again }), first);
    assert.equal(again.responseHeader.get("idempotency-replayed"), "true");

    const place = () => setup.createOrder("alice", "late", { context: keyed("late") });
    await assert.rejects(place());
    const rows = await setup.database.query(
      "SELECT FROM idempotency_keys WHERE key = 'late' OR response IS NULL",
      [],
    );
    assert.deepEqual(rows, []);
    await settleAll(setup, "alice");
    await eventually("the same call is accepted", () => place().catch(() => undefined));
    assert.equal(await placeUpTo(setup, "alice", 50), 50);
  });

  it("is not counted for users who place few orders", async () => {
    await using setup = await setupOrders(limits);
    let counts = 0;
    const database: Database = {
      ...setup.database,
      read: (sql, parameters) => {
        counts += 1;
        return setup.database.read(sql, parameters);
      },
    };
    await using quota = createPendingQuota({
      database,
      clock: systemClock,
      log: testLog,
      max: limit,
    });
    for (let nth = 0; nth < uncounted; nth += 1) assert.ok(await quota.take("alice"));
    assert.equal(counts, 0);
    const calls = Array.from({ length: limit / 2 }, () => quota.take("alice"));
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([true]));
    assert.equal(counts, 1, "once for all that came together");
  });

  it("is counted at most every 100 ms for users near the limit", async () => {
    await using setup = await setupOrders(limits);
    let counts = 0;
    const database: Database = {
      ...setup.database,
      read: (sql, parameters) => {
        counts += 1;
        return setup.database.read(sql, parameters);
      },
    };
    // Each count finds one order left, as none of those that are being placed is stored.
    await using quota = createPendingQuota({ database, clock: systemClock, log: testLog, max: 1 });
    assert.ok(await quota.take("alice"));
    const beginMs = performance.now();
    for (let nth = 0; nth < 5; nth += 1) assert.ok(await quota.take("alice"));
    assert.equal(counts, 5);
    assert.ok(performance.now() - beginMs >= 4 * 99);
  });
});
