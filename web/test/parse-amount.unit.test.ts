import assert from "node:assert/strict";
import { minorUnitDigits } from "@settle/sdk";
import { currencies } from "../src/account/currencies.ts";
import { amountText } from "../src/money/amount-text.ts";
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

  it("takes the decimals of ISO 4217, and minor units where it has none", () => {
    assert.equal(minor("1.25", "HUF"), 125n);
    assert.equal(minor("1.234", "IQD"), 1_234n);
    assert.equal(minor("1.5", "ZZZ"), "too-many-digits");
    assert.equal(minor("15", "ZZZ"), 15n);
    assert.equal(amountText({ minorUnits: 15n, currency: "ZZZ" }), "15");
    assert.equal(amountText({ minorUnits: 125n, currency: "HUF" }), "1.25");
    for (const currency of currencies) assert.ok(minorUnitDigits(currency) >= 0, currency);
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
