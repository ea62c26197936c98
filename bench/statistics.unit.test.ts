import assert from "node:assert/strict";
import { median, percentile, round } from "./statistics.ts";

describe("statistics", () => {
  it("computes a percentile as the smallest value that covers the share", () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    assert.equal(percentile(values, 0.5), 100);
    assert.equal(percentile(values, 0.99), 198);
    assert.equal(percentile(values, 1), 200);
    assert.equal(percentile([7], 0.99), 7);
    assert.equal(percentile([10, 9, 100], 0.5), 10);
  });

  it("computes a median as the middle value, or the mean of the two middle ones", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([5]), 5);
  });

  it("throws without any values", () => {
    assert.throws(() => percentile([], 0.5), /without values/);
    assert.throws(() => median([]), /without values/);
  });

  it("rounds to significant digits", () => {
    assert.equal(round(1234.5), 1230);
    assert.equal(round(0.012345, 2), 0.012);
  });
});
