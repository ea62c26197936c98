import assert from "node:assert/strict";
import fc from "fast-check";
import { decimalPattern, durationPattern } from "../../src/json/decimal-pattern.ts";

describe("the pattern of a range of decimals", () => {
  it("is short for a round range", () => {
    assert.equal(decimalPattern(0n, 999n), "^(?:0|[1-9][0-9]{0,2})$");
    assert.equal(decimalPattern(-100n, 100n), "^(?:0|-?(?:[1-9][0-9]{0,1}|100))$");
    assert.equal(decimalPattern(7n, 7n), "^(?:7)$");
  });

  it("matches every number in the range and none outside it", () => {
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

  it("accepts one spelling of each number only", () => {
    const pattern = new RegExp(decimalPattern(-10n, 10n), "u");
    for (const text of ["", "-", "-0", "01", "+1", "1.0", "1e0", " 1"]) {
      assert.doesNotMatch(text, pattern);
    }
  });
});

describe("the pattern of a range of durations", () => {
  const matches = (from: bigint, to: bigint, withEnd?: boolean) => {
    const pattern = new RegExp(`^${durationPattern(from, to, withEnd)}$`, "u");
    return (text: string) => pattern.test(text);
  };

  it("accepts fractions of a second inside the range, and none beyond its end", () => {
    const isInside = matches(1n, 90n);
    for (const text of ["1s", "1.000000001s", "9.5s", "89.999999999s", "90s", "90.000s"]) {
      assert.ok(isInside(text), text);
    }
    for (const text of ["0s", "0.999s", "90.000000001s", "91s", "-1s", "1.s", "1", "01s", ".5s"]) {
      assert.ok(!isInside(text), text);
    }
  });

  it("can exclude its end", () => {
    const isInside = matches(0n, 10n, false);
    for (const text of ["0s", "0.5s", "9.999999999s"]) assert.ok(isInside(text), text);
    for (const text of ["10s", "10.0s", "9.9999999999s"]) assert.ok(!isInside(text), text);
  });

  it("can be a single duration", () => {
    const isInside = matches(7n, 7n);
    assert.ok(isInside("7s") && isInside("7.0s") && !isInside("7.1s"));
  });
});
