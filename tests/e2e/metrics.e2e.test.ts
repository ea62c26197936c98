import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { createSettle, money, type Settle } from "@settle/sdk/node";
import { findFreePorts } from "../../tools/local/ports.ts";
import { publish } from "../harness/system/queues.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const userId = "measured-user";
const services: readonly ServiceName[] = ["orders", "payments"];

/** The samples of a scrape, by name and labels as Prometheus writes them. */
type Samples = ReadonlyMap<string, number>;

describe("the metrics of the services", function () {
  this.timeout(60_000);
  let system: System;
  let settle: Settle;
  const ports = new Map<ServiceName, number>();

  before(async () => {
    system = await startSystem();
    const free = await findFreePorts(services.length);
    await Promise.all(
      services.map((service, at) => {
        ports.set(service, free[at] ?? 0);
        const env = { METRICS_PORT: String(free[at]) };
        return system.start(service, { port: system.ports[service], env });
      }),
    );
    await system.healthy();
    settle = createSettle({ baseUrl: system.edgeUrl, token: () => tokenOf(userId) });
  });
  after(async () => {
    await settle?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  const textOf = async (service: ServiceName) => {
    const response = await fetch(`http://127.0.0.1:${ports.get(service)}/metrics`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    return await response.text();
  };
  const samplesOf = async (service: ServiceName): Promise<Samples> => {
    const lines = (await textOf(service)).split("\n").filter((line) => /^settle_/.test(line));
    return new Map(
      lines.map((line) => {
        const [, name = "", value] = /^(.*) (\S+)$/.exec(line) ?? [];
        return [name, Number(value)];
      }),
    );
  };
  /** Waits until a scrape has these samples. */
  const shows = (service: ServiceName, expected: Readonly<Record<string, number>>) => {
    let last: Samples = new Map();
    return eventually(
      `${service} shows ${JSON.stringify(expected)}`,
      async () => {
        last = await samplesOf(service);
        return (
          Object.entries(expected).every(([name, value]) => last.get(name) === value) || undefined
        );
      },
      10_000,
    ).catch((error) => {
      const seen = Object.keys(expected).map((name) => `${name} ${last.get(name)}`);
      throw new Error(`${error}\n${seen.join("\n")}`);
    });
  };

  it("count what happens to orders and payments, calls and events", async () => {
    await settle.payments.createAccount({ userId, currency: "EUR" });
    await settle.payments.deposit({ userId, amount: money("10", "EUR") });
    const order = { userId, amount: money("4", "EUR"), description: "measured" };
    const first = { idempotencyKey: "measured-1" };
    const paid = await settle.orders.createOrder(order, first);
    await settle.orders.createOrder(order, first);
    await settle.orders.createOrder({ ...order, amount: money("100", "EUR") });
    await assert.rejects(settle.orders.getOrder({ userId, orderId: crypto.randomUUID() }));
    await eventually("the orders are settled", async () => {
      const page = await settle.orders.listOrders({ userId }).first();
      return page.orders.every(({ settleTime }) => settleTime) || undefined;
    });
    await assert.rejects(settle.orders.cancelOrder({ userId, orderId: paid.id }));
    await publish(system.broker.adminUrl, topologyOf("payments").work, [
      { messageId: "no id", type: "nobody.v1.Knows", body: Buffer.from("poison") },
    ]);

    const rpc = (service: string, method: string, code: string) =>
      `settle_rpc_duration_seconds_count{service="${service}",method="${method}",code="${code}"}`;
    const orders = "orders.v1.OrdersService";
    await shows("orders", {
      [rpc(orders, "CreateOrder", "ok")]: 3,
      [rpc(orders, "GetOrder", "not_found")]: 1,
      [rpc(orders, "CancelOrder", "failed_precondition")]: 1,
      'settle_idempotency_replays_total{method="CreateOrder"}': 1,
      'settle_orders_total{from="NEW",to="PENDING_PAYMENT"}': 2,
      'settle_orders_total{from="PENDING_PAYMENT",to="PAID"}': 1,
      'settle_orders_total{from="PENDING_PAYMENT",to="PAYMENT_DECLINED"}': 1,
      'settle_order_settled_seconds_count{status="PAID"}': 1,
      'settle_events_received_total{type="events.v1.PaymentResultEvent",outcome="handled"}': 2,
      'settle_event_lag_seconds_count{type="events.v1.PaymentResultEvent"}': 2,
      'settle_batch_items_sum{kind="CreateOrder"}': 3,
      'settle_batch_items_sum{kind="events"}': 2,
      settle_broker_connected: 1,
      settle_watches: 0,
    });
    await shows("payments", {
      [rpc("payments.v1.PaymentsService", "Deposit", "ok")]: 1,
      'settle_payments_total{outcome="PAID",reason=""}': 1,
      'settle_payments_total{outcome="DECLINED",reason="INSUFFICIENT_FUNDS"}': 1,
      'settle_ledger_movements_total{kind="DEPOSIT"}': 1,
      'settle_ledger_movements_total{kind="PAYMENT"}': 1,
      'settle_events_received_total{type="events.v1.OrderCreatedEvent",outcome="handled"}': 2,
      'settle_events_received_total{type="unknown",outcome="dead_letter"}': 1,
      settle_broker_connected: 1,
    });
  });

  it("are those of the reference, and tell nothing about callers", async () => {
    const reference = readFileSync(`${root}/docs/reference/metrics.md`, "utf8");
    const sections = reference.split(/^## /m);
    for (const service of services) {
      const text = await textOf(service);
      const own = sections.filter(
        (part) => /^Every service\n/.test(part) || part.startsWith(`The service ${service}\n`),
      );
      const names = own.flatMap((part) =>
        Array.from(part.matchAll(/^\| `(settle_\w+)`/gm), ([, name]) => name),
      );
      assert.ok(names.length > 10);
      const served = Array.from(text.matchAll(/^# TYPE (settle_\w+) /gm), ([, name]) => name);
      assert.deepEqual(served.toSorted(), names.toSorted());
      assert.match(text, /^nodejs_eventloop_lag_seconds /m, service);
      const samples = await samplesOf(service);
      const open = ["used", "idle"].map(
        (state) => samples.get(`settle_database_connections{pool="write",state="${state}"}`) ?? 0,
      );
      assert.ok(Math.max(...open) > 0, `${service} has connections`);
      assert.ok(!text.includes(userId), `${service} names no user`);
    }
  });

  it("answer nothing else", async () => {
    const url = `http://127.0.0.1:${ports.get("orders")}`;
    for (const [method, path] of [
      ["GET", "/"],
      ["POST", "/metrics"],
      ["GET", "/metrics/x"],
    ] as const) {
      assert.equal((await fetch(`${url}${path}`, { method })).status, 404, `${method} ${path}`);
    }
  });
});
