import assert from "node:assert/strict";
import fc from "fast-check";
import { decimalPattern } from "../decimal-pattern.ts";

describe("the pattern of a range of decimals", () => {
  it("is short where the range is round", () => {
    assert.equal(decimalPattern(0n, 999n), "^(?:0|[1-9][0-9]{0,2})$");
    assert.equal(decimalPattern(-100n, 100n), "^(?:0|-?(?:[1-9][0-9]{0,1}|100))$");
    assert.equal(decimalPattern(7n, 7n), "^(?:7)$");
  });

  it("matches each number of the range and none beside it", () => {
    const bound = fc.integer({ min: -12_345, max: 12_345 });
    fc.assert(
      fc.property(bound, bound, fc.integer({ min: -20_000, max: 20_000 }), (a, b, other) => {
        const [lower, upper] = [Math.min(a, b), Math.max(a, b)];
        const pattern = new RegExp(decimalPattern(BigInt(lower), BigInt(upper)), "u");
        for (const value of [lower - 1, lower, lower + 1, other, upper - 1, upper, upper + 1, 0]) {
          assert.equal(
            pattern.test(String(value)),
            value >= lower && value <= upper,
            `${value} in ${lower} to ${upper} by ${pattern.source}`,
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("holds for the largest numbers", () => {
    const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
    const pattern = new RegExp(decimalPattern(least, most), "u");
    for (const value of [least, most, 0n]) assert.match(String(value), pattern);
    for (const value of [least - 1n, most + 1n]) assert.doesNotMatch(String(value), pattern);
  });

  it("knows no other way to write a number", () => {
    const pattern = new RegExp(decimalPattern(-10n, 10n), "u");
    for (const text of ["", "-", "-0", "01", "+1", "1.0", "1e0", " 1"]) {
      assert.doesNotMatch(text, pattern);
    }
  });
});
