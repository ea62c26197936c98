import assert from "node:assert/strict";
import type { FaultPoint } from "@settle/chassis/base/faults";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { startLoad } from "../harness/checker/load.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";

const userIds = ["crash-1", "crash-2", "crash-3"];
const points: readonly FaultPoint[] = [
  "transaction.before-commit",
  "transaction.after-commit",
  "relay.before-publish",
  "relay.after-confirm",
  "consumer.before-ack",
];
// After the startup transactions of a service, and then well into its work.
const nths = [7, 40];
const crashes = points.flatMap((point) => nths.map((nth) => `${point}:${nth}`));

describe("a service under load that is killed", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;

  before(async () => {
    system = await startSystem();
  });
  after(() => system?.[Symbol.asyncDispose]());

  it("twice at each crash point, both services at the same time, loses and repeats nothing", async () => {
    const shopper = createShopper(history, system.call);
    await system.startBoth();
    for (const userId of userIds) await shopper.fundedAccount(userId, 500n);
    await system.killAll();

    const next = { orders: "", payments: "" };
    const load = startLoad({
      shopper,
      userIds,
      label: () => `orders at ${next.orders}, payments at ${next.payments},`,
    });
    // Each service restarts independently: waiting could keep the other from its crash point.
    const dieAndRise = async (service: ServiceName) => {
      const port = system.ports[service];
      for (const crashAt of crashes) {
        next[service] = crashAt;
        const replica = await system.start(service, { port, crashAt });
        await replica.exited;
      }
      next[service] = "rest";
      await system.start(service, { port });
    };
    await Promise.all([dieAndRise("orders"), dieAndRise("payments")]);
    await load[Symbol.asyncDispose]();
    assert.ok(load.ended.ok > 0);
    await assertWholeAfterwards(system, history);
  });
});
