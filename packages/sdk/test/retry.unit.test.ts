import assert from "node:assert/strict";
import fc from "fast-check";
import { createRetryBudget, retryDelayMs } from "../../sdk-runtime/src/retry.ts";

describe("the pause before a retry", () => {
  it("is random up to a bound that doubles from 0.25 seconds to the longest", () => {
    const bounds = [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000];
    for (const [retry, boundMs] of bounds.entries()) {
      assert.equal(retryDelayMs(retry, 8_000, { random: () => 0 }), 0);
      assert.equal(retryDelayMs(retry, 8_000, { random: () => 0.5 }), boundMs / 2);
      assert.ok(retryDelayMs(retry, 8_000, { random: () => 1 - 2 ** -53 }) <= boundMs);
    }
    fc.assert(
      fc.property(
        fc.nat(2_000),
        (retry) => retryDelayMs(retry, 2_000, { random: Math.random }) <= 2_000,
      ),
    );
  });

  it("is added to the pause that the server asks for", () => {
    assert.equal(retryDelayMs(0, 2_000, { random: () => 0 }, 3_000), 3_000);
    assert.equal(retryDelayMs(1, 2_000, { random: () => 0.5 }, 3_000), 3_250);
  });
});

describe("the retry budget", () => {
  const waitsMs = (budget: ReturnType<typeof createRetryBudget>, nowMs: number, count: number) =>
    Array.from({ length: count }, () => budget.reserve(nowMs));

  it("allows ten retries at once, and then 50 per second", () => {
    const budget = createRetryBudget();
    assert.deepEqual(waitsMs(budget, 1_000, 13), [...Array(10).fill(0), 20, 40, 60]);
    assert.deepEqual(waitsMs(budget, 1_060, 1), [20]);
    assert.deepEqual(waitsMs(budget, 1_100, 2), [0, 20]);
  });

  it("allows one more for ten calls that succeed, and for one that is not used", () => {
    const budget = createRetryBudget();
    waitsMs(budget, 0, 10);
    for (let answer = 0; answer < 10; answer += 1) budget.earn();
    budget.release();
    assert.deepEqual(
      waitsMs(budget, 0, 3).map((ms) => Math.round(ms)),
      [0, 0, 20],
    );
  });

  it("never holds more than ten", () => {
    const budget = createRetryBudget();
    for (let answer = 0; answer < 1_000; answer += 1) budget.earn();
    assert.equal(waitsMs(budget, 1_000_000, 30).filter((ms) => ms === 0).length, 10);
  });
});
