import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import { successOf } from "../call.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../checker.ts";
import { createHistory, createShopper } from "../history.ts";
import { callConnectByFetch } from "../protocols.ts";
import { startTap, type Tap } from "../queues.ts";
import { type System, startSystem } from "../system.ts";

describe("a relay killed with an event in its hands", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let tap: Tap;

  before(async () => {
    system = await startSystem();
    tap = await startTap(system.broker.adminUrl, "orders");
    await system.start("payments", { port: system.ports.payments });
    const { payments } = system.ports;
    const shopper = createShopper(
      history,
      callConnectByFetch(() => `http://127.0.0.1:${payments}`),
    );
    await shopper.fundedAccount("relayed", 100n);
  });
  after(async () => {
    await tap?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  /** Places an order through a replica that dies at `point` over its event; returns the order's id. */
  const placeAndDie = async (point: string) => {
    const replica = await system.start("orders", { crashAt: `${point}:1` });
    const call = callConnectByFetch(() => replica.url);
    const answer = await createShopper(history, call).createOrder("relayed", 10n, { label: point });
    await replica.exited;
    const { rows } = await system.databases.orders.query<{ id: string; events: bigint }>(
      `SELECT orders.id, (SELECT count(*) FROM outbox) AS events FROM orders
       WHERE description LIKE $1`,
      [`${point} %`],
    );
    const [order] = rows;
    assert.ok(order && order.events > 0n, "the order or its event was not stored");
    if (answer.ok) assert.equal(answer.message.id, order.id);
    return order.id;
  };
  const timesPublished = (orderId: string) =>
    tap.events.filter(({ body }) => body.includes(orderId)).length;

  it("leaves it to the next replica, and the order is paid once", async () => {
    const unpublished = await placeAndDie("relay.before-publish");
    assert.equal(timesPublished(unpublished), 0);
    const published = await placeAndDie("relay.after-confirm");
    assert.equal(timesPublished(published), 1);

    const next = await system.start("orders", { port: system.ports.orders });
    await successOf(
      createShopper(
        history,
        callConnectByFetch(() => next.url),
      ).createOrder("relayed", 10n, { label: "after" }),
    );
    await assertWholeAfterwards(system, history);
    await eventually("both were published by the next", () =>
      timesPublished(unpublished) === 1 && timesPublished(published) === 2 ? true : undefined,
    );
    const { rows } = await system.databases.payments.query<{ balanceMinor: bigint }>(
      `SELECT balance_minor AS "balanceMinor" FROM accounts`,
    );
    assert.deepEqual(rows, [{ balanceMinor: 70n }]);
  });
});
