import assert from "node:assert/strict";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { eventually } from "@settle/chassis/testing";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { type Lab, startLab } from "./lab.ts";
import { type OrdersUpstream, orderIds } from "./upstream.ts";

/** Longer than two health checks a second apart. */
const busyMs = 3_500;
const order = `/gateway/orders/alice/${orderIds.known}`;

describe("before several instances of a service, the edge", () => {
  let lab: Lab;
  let first: OrdersUpstream;
  let others: OrdersUpstream[];
  beforeEach(async () => {
    lab = await startLab({ instances: 3 });
    [first, ...others] = lab.instances as [OrdersUpstream, ...OrdersUpstream[]];
    for (const cluster of ["orders", "orders-http1", "orders-watch"])
      await knowsHealthy(cluster, 3);
  });
  afterEach(() => lab[Symbol.asyncDispose]());

  /** Makes 24 calls over both clusters of a service, and returns how many each instance handled. */
  const callAll = async () => {
    const before = lab.instances.map(({ seen }) => seen.length);
    const byConnect = createConnectTransport({ ...lab.target, httpVersion: "1.1" });
    const orders = createClient(OrdersService, byConnect);
    for (let n = 0; n < 12; n += 1) {
      const answer = await lab.ask("GET", order);
      assert.equal(answer.status, 200, answer.body);
      await orders.getOrder({ userId: "alice", orderId: orderIds.known });
    }
    return lab.instances.map(({ seen }, n) => seen.length - (before[n] ?? 0));
  };

  it("balances calls over all of them", async () => {
    assert.deepEqual(await callAll(), [8, 8, 8]);
  });

  it("drops a dead instance at once, and takes it back when it returns", async () => {
    await callAll();
    await first.stop();
    const [dead, ...alive] = await callAll();
    assert.equal(dead, 0);
    assert.ok(Math.min(...alive) > 0, String(alive));
    await first.start();
    for (const cluster of ["orders", "orders-http1"]) await knowsHealthy(cluster, 3);
    assert.deepEqual(await callAll(), [8, 8, 8]);
  });

  it("stays healthy until the last one has died, and sends no call to a dead one", async () => {
    for (const other of others) await other.stop();
    assert.deepEqual(await callAll(), [24, 0, 0]);
    await knowsHealthy("orders", 1);
    const tried = await lab.readStat("cluster.orders.lb_healthy_panic");
    assert.deepEqual(await callAll(), [24, 0, 0]);
    assert.equal(await lab.readStat("cluster.orders.lb_healthy_panic"), tried);
    assert.equal((await lab.ask("GET", "/healthz")).status, 200);
    await first.stop();
    await lab.askUntil(503, "/healthz");
    assert.equal((await lab.ask("GET", order)).status, 503);
  });

  it("does not take a busy instance for a dead one", async () => {
    const failures = "cluster.orders.health_check.failure";
    const checks = "cluster.orders.health_check.attempt";
    const [failed, checked] = [await lab.readStat(failures), await lab.readStat(checks)];
    // The instances run in this process, so none of them answers meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyMs);
    assert.ok((await lab.readStat(checks)) > checked);
    assert.equal(await lab.readStat(failures), failed);
    assert.equal((await lab.ask("GET", "/healthz")).status, 200);
  });

  it("spreads watches over them, and reopens those of a dead one at another", async () => {
    const orders = createClient(OrdersService, createGrpcTransport(lab.target));
    // One after the other: the edge counts a watch for an instance once it has begun there.
    for (let n = 0; n < 30; n += 1) await openWatch(orders);
    const shares = lab.instances.map(({ watching }) => watching);
    assert.ok(Math.min(...shares) >= 5, String(shares));
    await first.stop();
    for (let n = 0; n < 5; n += 1) await openWatch(orders);
    const [, ...now] = lab.instances.map(({ watching }) => watching);
    assert.equal(sumOf(now), 30 - (shares[0] ?? 0) + 5);
  });

  const knowsHealthy = (cluster: string, count: number) =>
    eventually(`${count} instances of ${cluster} are known to be healthy`, async () => {
      const healthy = await lab.readStat(`cluster.${cluster}.membership_healthy`);
      return healthy === count || undefined;
    });
});

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Opens a watch of alice and waits until it has started. */
async function openWatch(orders: Client<typeof OrdersService>): Promise<void> {
  const answers = orders.watchOrders({ userId: "alice" })[Symbol.asyncIterator]();
  assert.equal((await answers.next()).value?.event.case, "heartbeat");
}
