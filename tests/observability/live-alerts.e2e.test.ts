import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { createSettle, money, type Settle } from "@settle/sdk/node";
import { findPrometheus, startPrometheus } from "../../tools/local/parts/prometheus.ts";
import { findFreePorts } from "../../tools/local/ports.ts";
import { startNursery } from "../../tools/local/process/nursery.ts";
import { PartFailure } from "../../tools/local/process/ready.ts";
import { publish } from "../harness/system/queues.ts";
import { type Replica, type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const everyS = 1;
const openTimeoutMs = 300_000;
const fireTimeoutMs = 30_000;

/** The rules, but for their patience: alerts fire within seconds of their cause. */
function impatient(rules: string): string {
  return rules
    .replace(/^ +for: .*\n/gm, "")
    .replace(/\[(5|15)m\]/g, "[10s]")
    .replace("oldest_age_seconds > 60", "oldest_age_seconds > 2");
}

type Alert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
};

describe("an alert", function () {
  this.timeout(60_000);
  const parts = new AsyncDisposableStack();
  let system: System;
  let settle: Settle;
  let prometheusPort: number;
  let payments: Replica;
  const startPayments = async () => {
    payments = await system.start("payments", {
      port: system.ports.payments,
      env: { METRICS_PORT: String(metricsPorts.payments) },
    });
  };
  const metricsPorts = { orders: 0, payments: 0, cutOff: 0 };

  before(async function () {
    this.timeout(openTimeoutMs);
    const prometheus = await findPrometheus({
      env: process.env,
      cacheDir: join(root, ".cache"),
      log: console.log,
    }).catch((error) => {
      if (error instanceof PartFailure) return undefined;
      throw error;
    });
    // Only where there is neither a Prometheus nor a way to unpack one.
    if (prometheus === undefined) return this.skip();
    const folder = mkdtempSync(join(tmpdir(), "settle-alerts-"));
    parts.defer(() => rmSync(folder, { recursive: true, force: true }));
    system = parts.use(await startSystem());
    const ports = await findFreePorts(5);
    const [promPort = 0, orders = 0, ofPayments = 0, cutOff = 0, closed = 0] = ports;
    prometheusPort = promPort;
    Object.assign(metricsPorts, { orders, payments: ofPayments, cutOff });
    const rules = join(folder, "alerts.yml");
    const shipped = readFileSync(join(root, "deploy/observability/alerts.yml"), "utf8");
    writeFileSync(rules, impatient(shipped));
    const nursery = parts.use(await startNursery({ folder }));
    await Promise.all([
      system.start("orders", {
        port: system.ports.orders,
        env: { METRICS_PORT: String(orders), REPAIR_AFTER_MS: "1000" },
      }),
      startPayments(),
      // A replica that reaches the database and not the broker.
      system.start("orders", {
        env: { METRICS_PORT: String(cutOff), AMQP_URL: `amqp://nobody:no@127.0.0.1:${closed}/no` },
      }),
      startPrometheus(prometheus, {
        nursery,
        folder: join(folder, "prometheus"),
        port: prometheusPort,
        rules,
        everyS,
        jobs: [
          { job: "settle-orders", port: orders },
          { job: "settle-payments", port: ofPayments },
          { job: "settle-cut-off", port: cutOff },
        ],
      }).then((started) => parts.use(started)),
    ]);
    await system.healthy();
    settle = createSettle({ baseUrl: system.edgeUrl, token: () => tokenOf("alerts") });
    parts.use(settle);
    await settle.payments.createAccount({ userId: "alerts", currency: "EUR" });
  });
  after(() => parts.disposeAsync());

  /** Waits until the alert fires with these labels. */
  const fires = (alert: string, labels: Readonly<Record<string, string>>) =>
    eventually(
      `${alert} fires`,
      async () => {
        const response = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/alerts`);
        const { data } = (await response.json()) as {
          readonly data: { readonly alerts: readonly Alert[] };
        };
        const wanted = Object.entries({ ...labels, alertname: alert });
        return (
          data.alerts.find(
            (found) =>
              found.state === "firing" &&
              wanted.every(([name, value]) => found.labels[name] === value),
          ) && true
        );
      },
      fireTimeoutMs,
    );
  const order = () =>
    settle.orders.createOrder({ userId: "alerts", amount: money("1", "EUR"), description: "one" });

  it("fires for a service that cannot reach the broker", async () => {
    await fires("SettleBrokerAway", { job: "settle-cut-off" });
  });

  it("fires for an event that cannot be handled", async () => {
    await publish(system.broker.adminUrl, topologyOf("payments").work, [
      { messageId: "no id", type: "nobody.v1.Knows", body: Buffer.from("poison") },
    ]);
    await fires("SettleDeadLetters", { job: "settle-payments" });
  });

  it("fires for a user whose rows are locked", async () => {
    await order();
    const client = await system.databases.orders.connect();
    try {
      await client.query("BEGIN");
      await client.query("SELECT FROM user_revisions WHERE user_id = 'alerts' FOR UPDATE");
      const waiting = order();
      await fires("SettleUsersSetAside", { job: "settle-orders", kind: "CreateOrder" });
      await client.query("ROLLBACK");
      await waiting;
    } finally {
      client.release();
    }
  });

  it("fires for a service that is gone, and for the orders that wait for it", async () => {
    await payments.kill();
    await order();
    await fires("SettleDown", { job: "settle-payments" });
    await fires("SettleOrdersAnnouncedAgain", { kind: "created" });
    await startPayments();
  });

  it("fires for an event that nobody publishes", async () => {
    // Written by a replica that is gone before it was published, which nobody else claims at once.
    await system.databases.orders.query(
      `INSERT INTO outbox (id, type, payload, create_time, claimed_until)
       VALUES (gen_random_uuid(), 'events.v1.OrderCreatedEvent', '', now() - interval '1 minute',
               now() + interval '50 seconds')`,
    );
    await fires("SettleOutboxWaits", { job: "settle-orders" });
    assert.deepEqual(system.unexplainedExits, []);
  });
});
