import assert from "node:assert/strict";
import fc from "fast-check";
import { createRetryBudget, retryDelayMs } from "../../sdk-runtime/src/retry.ts";

describe("the pause before a retry", () => {
  it("is random up to a bound that doubles from 0.25 to 8 seconds", () => {
    const bounds = [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000];
    for (const [retry, boundMs] of bounds.entries()) {
      assert.equal(retryDelayMs(retry, { random: () => 0 }), 0);
      assert.equal(retryDelayMs(retry, { random: () => 0.5 }), boundMs / 2);
      assert.ok(retryDelayMs(retry, { random: () => 1 - 2 ** -53 }) <= boundMs);
    }
    fc.assert(
      fc.property(fc.nat(2_000), (retry) => retryDelayMs(retry, { random: Math.random }) <= 8_000),
    );
  });

  it("is added to the pause that the server asks for", () => {
    assert.equal(retryDelayMs(0, { random: () => 0 }, 3_000), 3_000);
    assert.equal(retryDelayMs(1, { random: () => 0.5 }, 3_000), 3_250);
  });
});

describe("the retry budget", () => {
  it("allows ten retries at once, and then one per ten calls that succeed", () => {
    const budget = createRetryBudget();
    const taken = () => Array.from({ length: 30 }, () => budget.take()).filter(Boolean).length;
    assert.equal(taken(), 10);
    for (let answer = 0; answer < 9; answer += 1) budget.earn();
    assert.equal(taken(), 0);
    for (let answer = 0; answer < 21; answer += 1) budget.earn();
    assert.equal(taken(), 3);
  });

  it("never exceeds ten", () => {
    const budget = createRetryBudget();
    for (let answer = 0; answer < 1_000; answer += 1) budget.earn();
    assert.equal(Array.from({ length: 30 }, () => budget.take()).filter(Boolean).length, 10);
  });
});
