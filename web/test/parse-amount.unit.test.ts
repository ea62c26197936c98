import assert from "node:assert/strict";
import { parseAmount } from "../src/money/parse-amount.ts";

const minor = (text: string, currency = "EUR") => {
  const parsed = parseAmount(text, currency);
  return "amount" in parsed ? parsed.amount.minorUnits : parsed.fault;
};

describe("parseAmount", () => {
  it("accepts a decimal point or comma, and grouped thousands", () => {
    for (const text of [
      "1250.50",
      "1250,50",
      " 1 250,50 ",
      "1\u00a0250,50",
      "1\u202f250.5",
      "1'250.50",
    ]) {
      assert.equal(minor(text), 125_050n, text);
    }
    assert.equal(minor("500", "JPY"), 500n);
    assert.equal(minor("0,01"), 1n);
    assert.equal(minor("10000000000"), 1_000_000_000_000n);
  });

  it("names the fault of any other input, and guesses nothing", () => {
    assert.equal(minor("  "), "empty");
    for (const text of ["x", "-1", "1e3", "1.2.3", "1,2,3", ".5", "5.", "12 50", "1 25,00", "٣"]) {
      assert.equal(minor(text), "not-a-number", text);
    }
    assert.equal(minor("1,250"), "too-many-digits");
    assert.equal(minor("5.0", "JPY"), "too-many-digits");
    assert.equal(minor("0,00"), "too-small");
    assert.equal(minor("10000000000.01"), "too-large");
  });
});
