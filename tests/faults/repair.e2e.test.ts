import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { create } from "@bufbuild/protobuf";
import { eventually } from "@settle/chassis/testing";
import {
  OrderCancelledEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { type Order, OrderSchema, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { successOf } from "../harness/calls/call.ts";
import { checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { intercept } from "../harness/system/queues.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";

const repairSoon = { REPAIR_AFTER_MS: "1000" };

describe("an event that was lost with the broker's disk", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  before(async () => {
    system = await startSystem();
  });
  after(() => system?.[Symbol.asyncDispose]());

  const shopper = () => createShopper(history, system.call);
  const loseMessages = async (service: ServiceName) => {
    const queue = `queues/${encodeURIComponent(system.broker.vhost)}/${service}.work/contents`;
    await system.broker.manage("DELETE", queue);
  };
  const outboxIsEmpty = (service: ServiceName) =>
    eventually(`the outbox of ${service} is empty`, async () => {
      const { rows } = await system.databases[service].query("SELECT FROM outbox");
      return rows.length === 0 ? true : undefined;
    });
  const paid = (userId: string, orderId: string) =>
    eventually(`order ${orderId} is paid`, async () => {
      const call = system.call(OrdersService.method.getOrder, { userId, orderId });
      return (await successOf(call)).status === OrderStatus.PAID ? true : undefined;
    });

  it("is published again, for an order and for a payment's result", async () => {
    const { orders, payments } = await system.startBoth();
    await shopper().fundedAccount("unlucky", 10n);

    await payments.stop();
    const first = await successOf(shopper().createOrder("unlucky", 1n));
    await outboxIsEmpty("orders");
    await loseMessages("payments");
    await orders.stop();
    await system.start("payments", { port: system.ports.payments });
    const repairing = await system.start("orders", { port: system.ports.orders, env: repairSoon });
    await system.healthy();
    await paid("unlucky", first.id);

    await repairing.stop();
    await system.start("orders", { port: system.ports.orders });
    await system.healthy();
    const second = await successOf(shopper().createOrder("unlucky", 1n));
    await paid("unlucky", second.id);
    // As if the result had never arrived.
    await system.databases.orders.query(
      "UPDATE orders SET status = 1, settle_time = NULL WHERE id = $1",
      [second.id],
    );
    await system.killAll();
    await system.start("payments", { port: system.ports.payments });
    await system.start("orders", { port: system.ports.orders, env: repairSoon });
    await system.healthy();
    await paid("unlucky", second.id);
    const { rows } = await system.databases.payments.query(
      "SELECT balance_minor, entry_count FROM accounts WHERE user_id = 'unlucky'",
    );
    assert.deepEqual(rows, [{ balance_minor: 8n, entry_count: 3n }]);
    assert.deepEqual(system.unexplainedExits, []);
  });

  it("is published again for a cancellation of a paid order", async () => {
    await system.killAll();
    const { orders } = await system.startBoth();
    const { adminUrl } = system.broker;
    await shopper().fundedAccount("late", 10n);
    const place = async () => {
      created = await successOf(shopper().createOrder("late", 3n));
      return 1;
    };
    const cancel = async () => {
      await successOf(shopper().cancelOrder(created));
      return 1;
    };
    let created: Order = create(OrderSchema);
    const results = [PaymentResultEventSchema.typeName];
    await intercept(adminUrl, { from: "payments", to: "orders", types: results }, place);
    const cancellations = [OrderCancelledEventSchema.typeName];
    await intercept(adminUrl, { from: "orders", to: "payments", types: cancellations }, cancel);

    await orders.stop();
    await system.start("orders", { port: system.ports.orders, env: repairSoon });
    await system.healthy();
    await eventually("the money is back", async () => {
      const { rows } = await system.databases.orders.query(
        "SELECT status, refunded_minor FROM orders WHERE id = $1",
        [created.id],
      );
      return isDeepStrictEqual(rows, [{ status: OrderStatus.CANCELLED, refunded_minor: 3n }])
        ? true
        : undefined;
    });
    const { rows } = await system.databases.payments.query(
      "SELECT balance_minor, entry_count FROM accounts WHERE user_id = 'late'",
    );
    assert.deepEqual(rows, [{ balance_minor: 10n, entry_count: 3n }]);
    assert.deepEqual(system.unexplainedExits, []);
  });
});
