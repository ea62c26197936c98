import assert from "node:assert/strict";
import { systemClock } from "@settle/chassis/base/clock";
import { noFaults } from "@settle/chassis/base/faults";
import { createTestBroker, createTestDatabase, testLog } from "@settle/chassis/testing";
import { startOrders } from "@settle/orders/app";
import { readConfig } from "@settle/orders/config";
import { Client } from "pg";
import { subscriptions } from "../../tools/provision/subscriptions.ts";

const dayMs = 86_400_000;

describe("a service that starts with a wrong clock", () => {
  it("takes the time of its database", async () => {
    await using parts = new AsyncDisposableStack();
    const { url } = parts.use(await createTestDatabase("orders"));
    const broker = parts.use(await createTestBroker(subscriptions));
    const config = readConfig({
      PORT: "0",
      DRAIN_MS: "0",
      DATABASE_URL: url,
      AMQP_URL: broker.urlOf("orders"),
      AUTH_ISSUER: "an issuer",
      AUTH_AUDIENCE: "settle",
      AUTH_JWKS_URL: "http://127.0.0.1/never-asked",
    });
    const clock = { ...systemClock, nowMs: () => Date.now() + 40 * dayMs };
    parts.use(await startOrders(config, { clock, log: testLog, faults: noFaults }));
    const client = new Client({ connectionString: url });
    await client.connect();
    parts.defer(() => client.end());
    // The inbox has partitions around today by the clock of the service.
    const { rows } = await client.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relname ~ '^inbox(_[0-9]+){3}$' ORDER BY 1",
    );
    const day = (timeMs: number) =>
      `inbox_${new Date(timeMs).toISOString().slice(0, 10).replaceAll("-", "_")}`;
    assert.deepEqual(
      [rows.at(0)?.name, rows.at(-1)?.name],
      [day(Date.now() - 30 * dayMs), day(Date.now() + 3 * dayMs)],
    );
  });
});
