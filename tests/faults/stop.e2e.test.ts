import assert from "node:assert/strict";
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

  before(async () => {
    system = await startSystem();
    await system.startBoth();
    const [orders, payments] = await Promise.all([
      system.start("orders"),
      system.start("payments"),
    ]);
    leaving = { orders, payments };
    const shopper = createShopper(history, system.call);
    for (const userId of userIds) await shopper.fundedAccount(userId, 1_000n);
  });
  after(() => system?.[Symbol.asyncDispose]());

  it("of one replica of each service exits with 0 in time", async () => {
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
    const exits = await Promise.all([leaving.orders.stop(), leaving.payments.stop()]);
    assert.ok(Date.now() - startMs < stopLimitMs, `took ${Date.now() - startMs} ms`);
    assert.deepEqual(
      exits.map(({ code }) => code),
      [0, 0],
    );
    assert.equal(edgeLoad.ended.unknown, 0, "a call to the replicas that stay went wrong");
    assert.ok(replicaLoad.ended.ok > 0, "the leaving replica was not under load");
  });

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});
