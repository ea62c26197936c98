import assert from "node:assert/strict";
import type { EventBatches } from "@settle/chassis/events/relay";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { callConnectByFetch } from "../harness/calls/protocols.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { startLoad } from "../harness/checker/load.ts";
import { type Replica, type System, startSystem } from "../harness/system/system.ts";

const stopLimitMs = 15_000;

describe("a graceful stop under load", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  const userIds = ["stop-1", "stop-2"];
  let system: System;
  let leaving: { readonly orders: Replica; readonly payments: Replica };
  /** Another pair that leaves, so that all settings of event batches run side by side. */
  let third: readonly Replica[];

  before(async () => {
    system = await startSystem();
    await system.startBoth();
    const startPair = (batches: EventBatches) => {
      const env = { EVENT_BATCHES: batches };
      return Promise.all([system.start("orders", { env }), system.start("payments", { env })]);
    };
    const [[orders, payments], singles] = await Promise.all([
      startPair("off"),
      startPair("with-singles"),
    ]);
    leaving = { orders, payments };
    third = singles;
    const shopper = createShopper(history, system.call);
    for (const userId of userIds) await shopper.fundedAccount(userId, 1_000n);
  });
  after(() => system?.[Symbol.asyncDispose]());

  it("of two replicas of each service exits with 0 in time", async () => {
    const through = createShopper(history, system.call);
    const straight = createShopper(
      history,
      callConnectByFetch(({ typeName }) =>
        typeName === OrdersService.typeName ? leaving.orders.url : leaving.payments.url,
      ),
    );
    await using edgeLoad = startLoad({ shopper: through, userIds, label: () => "stays" });
    await using replicaLoad = startLoad({ shopper: straight, userIds, label: () => "leaves" });
    const startMs = Date.now();
    const exits = await Promise.all(
      [leaving.orders, leaving.payments, ...third].map((replica) => replica.stop()),
    );
    assert.ok(Date.now() - startMs < stopLimitMs, `took ${Date.now() - startMs} ms`);
    assert.deepEqual(
      exits.map(({ code }) => code),
      [0, 0, 0, 0],
    );
    assert.equal(edgeLoad.ended.unknown, 0, "a call to the replicas that stay went wrong");
    assert.ok(replicaLoad.ended.ok > 0, "the leaving replica was not under load");
  });

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});
