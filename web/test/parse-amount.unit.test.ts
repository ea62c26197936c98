import assert from "node:assert/strict";
import { minorUnitDigits } from "@settle/sdk";
import { currencies } from "../src/account/currencies.ts";
import { createFormat } from "../src/i18n/format.ts";
import { amountText } from "../src/money/amount-text.ts";
import { parseAmount } from "../src/money/parse-amount.ts";

const languages = ["en", "ru"] as const;

const minor = (text: string, currency = "EUR", language = "en") => {
  const parsed = parseAmount(text, currency, language);
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
      "1,250.50",
      "1.250,50",
      "１２５０.５０",
    ]) {
      for (const language of languages) assert.equal(minor(text, "EUR", language), 125_050n, text);
    }
    assert.equal(minor("1,234,567"), 123_456_700n);
    assert.equal(minor("1.234.567,8"), 123_456_780n);
    assert.equal(minor("500", "JPY"), 500n);
    assert.equal(minor("0,01"), 1n);
    assert.equal(minor("10000000000"), 1_000_000_000_000n);
  });

  it("reads one separator before three digits as the language writes it, or refuses it", () => {
    const table = [
      ["1,234", "EUR", 123_400n, "too-many-digits"],
      ["1.234", "EUR", "too-many-digits", "too-many-digits"],
      ["1,234", "KWD", "ambiguous", 1_234n],
      ["1.234", "KWD", 1_234n, "ambiguous"],
      ["0,234", "KWD", 234n, 234n],
      ["1,23", "KWD", 1_230n, 1_230n],
      ["1,234", "JPY", 1_234n, "too-many-digits"],
      ["1,234.5", "KWD", 1_234_500n, 1_234_500n],
    ] as const;
    for (const [text, currency, ...expected] of table) {
      assert.deepEqual(
        languages.map((language) => minor(text, currency, language)),
        expected,
        `${text} ${currency}`,
      );
    }
  });

  it("accepts the sign and the code of its currency, and no other", () => {
    for (const text of ["€12.50", "12.50 €", "EUR 12.50", "12,50 eur"]) {
      assert.equal(minor(text), 1_250n, text);
    }
    assert.equal(minor("1 250 ₽", "RUB", "ru"), 125_000n);
    for (const text of ["$12.50", "12.50 USD", "EUR", "12 EUR 50"]) {
      assert.equal(minor(text), "not-a-number", text);
    }
  });

  it("reads what the page formats, as the same amount", () => {
    for (const language of languages) {
      const format = createFormat(language);
      for (const currency of [...currencies, "HUF", "BHD", "CLF", "ZZZ"]) {
        for (const minorUnits of [1n, 99n, 1_234n, 123_456n, 1_234_567n, 999_999_999_999n]) {
          const sum = { minorUnits, currency };
          const texts = [amountText(sum, language)];
          // In words of money, some currencies are written without their minor units.
          if (currency !== "ZZZ") texts.push(format.money(sum));
          for (const text of texts) {
            const read = minor(text, currency, language);
            // Never another amount. Three decimals after a whole number look like thousands.
            if (read !== minorUnits) assert.equal(read, "ambiguous", `${text} in ${language}`);
          }
          assert.equal(minor(amountText(sum, language), currency, language), minorUnits);
        }
      }
    }
  });

  it("takes the decimals of ISO 4217, and minor units where it has none", () => {
    assert.equal(minor("1.25", "HUF"), 125n);
    assert.equal(minor("1.234", "IQD"), 1_234n);
    assert.equal(minor("1.5", "ZZZ"), "too-many-digits");
    assert.equal(minor("15", "ZZZ"), 15n);
    assert.equal(amountText({ minorUnits: 15n, currency: "ZZZ" }), "15");
    assert.equal(amountText({ minorUnits: 125n, currency: "HUF" }), "1.25");
    assert.equal(amountText({ minorUnits: 125n, currency: "HUF" }, "ru"), "1,25");
    for (const currency of currencies) assert.ok(minorUnitDigits(currency) >= 0, currency);
  });

  it("names the fault of any other input, and guesses nothing", () => {
    assert.equal(minor("  "), "empty");
    for (const text of ["x", "-1", "1e3", "1.2.3", "1,2,3", ".5", "5.", "12 50", "1 25,00", "٣"]) {
      assert.equal(minor(text), "not-a-number", text);
    }
    assert.equal(minor("5.0", "JPY"), "too-many-digits");
    assert.equal(minor("0,00"), "too-small");
    assert.equal(minor("10000000000.01"), "too-large");
  });
});
