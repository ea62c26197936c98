import assert from "node:assert/strict";
import type { Measurement, Window } from "./measure.ts";
import { missedGoals, summaryOf } from "./report.ts";

const quiet: Window = {
  ...{ calls: 2_400, failed: 0, reasons: [] },
  ...{ p50Ms: 8, p99Ms: 20, paidP50Ms: 20, paidP99Ms: 40 },
};
const fine: Measurement = {
  ...{ attack: "an-attack", size: "its size", seconds: 20 },
  goals: { isOutage: false, recoveryS: 5 },
  quiet,
  attacked: { ...quiet, p99Ms: 40, paidP99Ms: 80 },
  healthMisses: 0,
  peakMb: { orders: 300, payments: 300, envoy: 90 },
  recoveryS: 5,
  did: {},
  faults: [],
};

describe("the verdict about an attack", () => {
  it("is met at the goals", () => {
    assert.deepEqual(missedGoals(fine), []);
    assert.match(summaryOf(fine), /verdict met$/);
  });

  it("names each goal that was missed", () => {
    const missed = missedGoals({
      ...fine,
      attacked: { ...quiet, failed: 3, p99Ms: 50, paidP99Ms: 100 },
      healthMisses: 2,
      peakMb: { orders: 301 },
      recoveryS: Number.POSITIVE_INFINITY,
      faults: ["the attack broke: it died"],
    });
    assert.deepEqual(missed, [
      "3 good calls failed",
      "p99 of calls × 2.5",
      "p99 until paid × 2.5",
      "2 health checks missed",
      "recovery took > 60 s",
      "orders used 301 MB",
      "the attack broke: it died",
    ]);
  });

  it("counts only recovery and memory where a part is killed", () => {
    const attacked = { ...quiet, failed: 30, p99Ms: 15_000 };
    const goals = { isOutage: true, recoveryS: 20 };
    assert.deepEqual(missedGoals({ ...fine, goals, attacked, recoveryS: 19 }), []);
    assert.equal(missedGoals({ ...fine, goals, attacked, recoveryS: 21 }).length, 1);
  });
});
