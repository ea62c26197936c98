import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testLog } from "@settle/chassis/testing";
import { findFreePorts } from "../../tools/local/ports.ts";
import { type Nursery, startNursery } from "../../tools/local/process/nursery.ts";
import { type RunningRabbitmq, startRabbitmq } from "../../tools/local/rabbitmq/rabbitmq.ts";
import { createScratchData } from "../../tools/local/scratch-data.ts";
import { successOf } from "../harness/calls/call.ts";
import { assertWhole, assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type Shopper } from "../harness/checker/history.ts";
import { type System, startSystem } from "../harness/system/system.ts";

const cacheDir = fileURLToPath(new URL("../../.cache", import.meta.url));
const ordersPlaced = 200;

describe("a broker that is unavailable", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  const parts = new AsyncDisposableStack();
  let startBroker: () => Promise<RunningRabbitmq>;
  let broker: RunningRabbitmq;
  let system: System;
  let shopper: Shopper;

  before(async () => {
    const { folder } = parts.use(createScratchData("settle-broker-"));
    const dataDir = join(folder, "rabbitmq");
    const nursery = parts.use(await startNursery({ folder }));
    startBroker = await brokerIn(dataDir, nursery);
    broker = await startBroker();
    system = parts.use(await startSystem({ rabbitmq: broker }));
    await system.startBoth();
    shopper = createShopper(history, system.call);
    await shopper.fundedAccount("offline", 1_000n);
    await successOf(shopper.createOrder("offline", 1n, { label: "before" }));
  });
  after(async () => {
    await parts.disposeAsync();
  });

  const placeWhileAway = async (label: string) => {
    const calls = Array.from({ length: ordersPlaced }, () =>
      successOf(shopper.createOrder("offline", 1n, { label })),
    );
    await Promise.all(calls);
    const { status } = await fetch(`${system.edgeUrl}/healthz`);
    assert.equal(status, 200, "the edge is not healthy");
    const { rows } = await system.databases.orders.query<{ count: bigint }>(
      "SELECT count(*) FROM outbox",
    );
    assert.ok(Number(rows[0]?.count) >= ordersPlaced, "the events do not wait in the outbox");
  };

  it("because it was killed loses no order, and all are accepted and settled", async () => {
    process.kill(broker.child.pid, "SIGKILL");
    await broker.child.exited;
    await placeWhileAway("broker killed");
    await broker[Symbol.asyncDispose]();
    broker = await startBroker();
    await assertWhole(system, history);
  });

  it("because it was stopped loses no order, and all are accepted and settled", async () => {
    await broker[Symbol.asyncDispose]();
    await placeWhileAway("broker stopped");
    broker = await startBroker();
    await assertWholeAfterwards(system, history);
  });
});

/** Returns a function that starts the test's own broker, always with the same data. */
async function brokerIn(
  dataDir: string,
  nursery: Nursery,
): Promise<() => Promise<RunningRabbitmq>> {
  const [amqpPort = 0, managementPort = 0] = await findFreePorts(2);
  return () =>
    startRabbitmq({
      nursery,
      dataDir,
      cacheDir,
      amqpPort,
      managementPort,
      env: process.env,
      log: (line) => testLog.info(line),
    });
}
