import assert from "node:assert/strict";
import { newId } from "@settle/chassis/base/new-id";
import { announceAgain, noteNothingTaken } from "../src/announce-again.ts";
import { setupOrders } from "./orders-setup.ts";

const afterMs = 600_000;
const nothing = { created: 0, cancelled: 0 };

describe("announcing orders again", () => {
  let setup: Awaited<ReturnType<typeof setupOrders>>;
  before(async () => {
    setup = await setupOrders();
  });
  after(() => setup?.[Symbol.asyncDispose]());

  const run = () =>
    setup.database.transaction((transaction) =>
      announceAgain(transaction, setup.outbox, { afterMs, newId }),
    );
  const age = (orderId: string) =>
    setup.database.query(
      `UPDATE orders SET create_time = create_time - interval '11 minutes',
         settle_time = settle_time - interval '11 minutes' WHERE id = $1`,
      [orderId],
    );
  const eventsOf = async (orderId: string) => {
    const rows = await setup.database.query<{ id: string }>(
      "SELECT id FROM outbox WHERE position($1::text::bytea IN payload) > 0",
      [orderId],
    );
    return rows.map(({ id }) => id);
  };

  it("announces an order that has waited too long, under a new id, and then leaves it alone", async () => {
    const [old, young] = [
      await setup.createOrder("waits", "old"),
      await setup.createOrder("waits", "young"),
    ];
    await age(old.id);
    assert.deepEqual(await run(), { created: 1, cancelled: 0 });
    assert.equal(new Set(await eventsOf(old.id)).size, 2);
    assert.equal((await eventsOf(young.id)).length, 1);
    assert.deepEqual(await run(), nothing);
  });

  it("announces an order that was stored while a clock was ahead, as soon as it is not", async () => {
    const [stored, announced] = [
      await setup.createOrder("future", "stored"),
      await setup.createOrder("future", "announced"),
    ];
    await setup.database.query(
      "UPDATE orders SET create_time = now() + interval '4 days' WHERE id = $1",
      [stored.id],
    );
    await setup.database.query(
      "UPDATE orders SET announce_time = now() + interval '4 days' WHERE id = $1",
      [announced.id],
    );
    assert.deepEqual(await run(), { created: 2, cancelled: 0 });
    for (const { id } of [stored, announced]) assert.equal((await eventsOf(id)).length, 2);
    assert.deepEqual(await run(), nothing);
  });

  it("announces a cancellation again until payments has answered it", async () => {
    const [old, young, known, back] = [
      await setup.createOrder("cancels", "old"),
      await setup.createOrder("cancels", "young"),
      await setup.createOrder("cancels", "known"),
      await setup.createOrder("cancels", "back"),
    ];
    for (const { id } of [old, young, known, back]) await setup.cancelOrder("cancels", id);
    for (const { id } of [old, known, back]) await age(id);
    await setup.database.query("UPDATE orders SET refunded_minor = amount_minor WHERE id = $1", [
      back.id,
    ]);
    await setup.database.transaction((transaction) => noteNothingTaken(transaction, [known.id]));
    assert.deepEqual(await run(), { created: 0, cancelled: 1 });
    assert.equal(new Set(await eventsOf(old.id)).size, 3);
    for (const { id } of [young, known, back]) assert.equal((await eventsOf(id)).length, 2);
    assert.deepEqual(await run(), nothing);
  });

  it("announces an order less often the longer it waits", async () => {
    const order = await setup.createOrder("patient", "old");
    for (let times = 0; times < 6; times += 1) await age(order.id);
    assert.deepEqual(await run(), { created: 1, cancelled: 0 });
    const announcedBefore = (minutes: number) =>
      setup.database.query(
        "UPDATE orders SET announce_time = now() - $1 * interval '1 minute' WHERE id = $2",
        [minutes, order.id],
      );
    // Of a wait of 66 minutes.
    await announcedBefore(32);
    assert.deepEqual(await run(), nothing);
    await announcedBefore(34);
    assert.deepEqual(await run(), { created: 1, cancelled: 0 });
    await setup.database.query("UPDATE orders SET status = 2 WHERE id = $1", [order.id]);
  });

  it("leaves settled orders alone", async () => {
    const order = await setup.createOrder("paid", "old");
    await age(order.id);
    await setup.database.query("UPDATE orders SET status = 2 WHERE id = $1", [order.id]);
    assert.deepEqual(await run(), nothing);
  });

  it("shares the work among replicas", async () => {
    const orders = await Promise.all(
      Array.from({ length: 20 }, (_, nth) => setup.createOrder(`user-${nth}`, "old")),
    );
    for (const { id } of orders) await age(id);
    const announced = await Promise.all([run(), run(), run()]);
    assert.equal(
      announced.reduce((sum, { created }) => sum + created, 0),
      20,
    );
  });
});
