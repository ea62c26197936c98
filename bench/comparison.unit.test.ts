import assert from "node:assert/strict";
import { summarize } from "./comparison.ts";
import { ordersPerSecondIn } from "./pgbench.ts";
import type { Saturation } from "./throughput.ts";

function measured(paidPerSecond: number, faults: readonly string[] = []): Saturation {
  return {
    connections: 128,
    paidPerSecond,
    backlogS: 0,
    ordersPerCommit: { creating: 1, paying: 1, settling: 1 },
    commitsPerOrder: 3,
    cpuMsPerOrder: {},
    faults,
  };
}

describe("the comparison", () => {
  it("takes the load with the best median for each side, and the median of the ratios", () => {
    const found = summarize([
      { system: [measured(50), measured(200)], baseline: [90, 100, 10, 10] },
      // One outlier does not make four clients the best.
      { system: [measured(990), measured(90)], baseline: [999, 100, 10, 10] },
      { system: [measured(60), measured(150)], baseline: [80, 100, 10, 10] },
    ]);
    assert.equal(found.connections, 128);
    assert.equal(found.paidPerSecond, 150);
    assert.equal(found.clients, 8);
    assert.equal(found.baselinePerSecond, 100);
    assert.equal(found.ratio, 1.5);
    assert.deepEqual(found.faults, []);
  });

  it("is void if one of its rounds is void", () => {
    const found = summarize([
      { system: [measured(1, ["a fault elsewhere"]), measured(2)], baseline: [1] },
      { system: [measured(1), measured(2, ["a backlog of 3 s"])], baseline: [1] },
    ]);
    assert.deepEqual(found.faults, ["a backlog of 3 s"]);
  });

  it("reads pgbench's report and refuses one with failures", () => {
    const report = "number of failed transactions: 0 (0.000%)\ntps = 1234.5 (without ...)\n";
    assert.equal(ordersPerSecondIn(report), 1234.5);
    assert.throws(() => ordersPerSecondIn(report.replace(": 0", ": 7")), /did not succeed/);
    assert.throws(() => ordersPerSecondIn("FATAL: no"), /did not succeed/);
  });
});
