import assert from "node:assert/strict";
import {
  decimalText,
  formatMoney,
  formatMoneyToParts,
  hasMinorUnits,
  minorUnitDigits,
  money,
} from "@settle/sdk";
import fc from "fast-check";

describe("money of the SDK", () => {
  it("is parsed with the currency's number of decimals", () => {
    assert.deepEqual(money("12.50", "EUR"), { minorUnits: 1250n, currency: "EUR" });
    assert.equal(money("12.5", "EUR").minorUnits, 1250n);
    assert.equal(money("12", "EUR").minorUnits, 1200n);
    assert.equal(money("-0.01", "USD").minorUnits, -1n);
    assert.equal(money("1250", "JPY").minorUnits, 1250n);
    assert.equal(money("1.234", "KWD").minorUnits, 1234n);
    assert.equal(money("10000000000000.01", "EUR").minorUnits, 1_000_000_000_000_001n);
  });

  it("rejects input that is ambiguous or would be rounded", () => {
    for (const text of ["", " 1", "1,50", "1.", ".5", "1e3", "+1", "0x10", "1.5.0", "--1", "NaN"]) {
      assert.throws(() => money(text, "EUR"), /not a decimal number/, text);
    }
    assert.throws(() => money("0.001", "EUR"), /EUR has 2 decimals/);
    assert.throws(() => money("1.0", "JPY"), /JPY has 0 decimals/);
    for (const currency of ["", "eur", "EURO", "€", "ZZZ", "XAU", "XTS"]) {
      assert.throws(() => money("1", currency), /not a currency with minor units/, currency);
    }
  });

  it("is formatted for the locale", () => {
    const written = (amount: string, currency: string, locale: string) =>
      formatMoney(money(amount, currency), locale).replaceAll(/\s/g, " ");
    assert.equal(written("12.50", "EUR", "en"), "€12.50");
    assert.equal(written("1234.5", "EUR", "de"), "1.234,50 €");
    assert.equal(written("1250", "JPY", "en"), "¥1,250");
    assert.equal(written("-0.05", "USD", "en"), "-$0.05");
    assert.equal(written("10000000000000.01", "EUR", "en"), "€10,000,000,000,000.01");
  });

  it("has the decimals of ISO 4217, whatever the runtime's table says", () => {
    const iso = { HUF: 2, COP: 2, IDR: 2, PKR: 2, ALL: 2, AFN: 2, IQD: 3, IRR: 2, LBP: 2, MMK: 2 };
    const more = { MGA: 2, YER: 2, KPW: 2, LAK: 2, SOS: 2, SYP: 2, EUR: 2, JPY: 0, KWD: 3, CLF: 4 };
    for (const [currency, digits] of Object.entries({ ...iso, ...more, BGN: 2, ITL: 0 })) {
      assert.equal(minorUnitDigits(currency), digits, currency);
      const text = digits === 0 ? "123456" : `${123456 / 10 ** digits}`;
      assert.equal(decimalText({ minorUnits: 123_456n, currency }), text);
      const shown = formatMoneyToParts({ minorUnits: 123_456n, currency }, "en");
      const fraction = shown.find(({ type }) => type === "fraction")?.value ?? "";
      assert.equal(fraction.length, digits, currency);
    }
    assert.deepEqual(money("12.50", "HUF"), { minorUnits: 1250n, currency: "HUF" });
  });

  it("is a number of minor units if it is not known how many make a whole one", () => {
    for (const currency of ["ZZZ", "XAU", "ALK", "$$"]) {
      const sum = { minorUnits: -123_456n, currency };
      assert.equal(formatMoney(sum, "en"), `-123,456 minor units of ${currency}`);
      assert.throws(() => decimalText(sum), RangeError);
      assert.ok(!hasMinorUnits(currency));
    }
    assert.ok(hasMinorUnits("JPY"));
  });

  it("is exact up to the largest balance", () => {
    const sum = { minorUnits: 2n ** 63n - 1n, currency: "EUR" };
    assert.equal(formatMoney(sum, "en"), "€92,233,720,368,547,758.07");
    assert.deepEqual(money(decimalText(sum), "EUR"), sum);
  });

  it("survives formatting and parsing", () => {
    const currencies = fc.constantFrom("EUR", "USD", "JPY", "KWD", "CHF");
    const sums = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
    fc.assert(
      fc.property(sums, currencies, (minorUnits, currency) => {
        const written = formatMoney({ minorUnits, currency }, "en").replaceAll(/[^\d.-]/g, "");
        assert.equal(money(written, currency).minorUnits, minorUnits);
      }),
    );
    assert.equal(minorUnitDigits("BHD"), 3);
  });
});

describe("decimalText", () => {
  it("writes minor units as a decimal number", () => {
    assert.equal(decimalText({ minorUnits: -5n, currency: "EUR" }), "-0.05");
    assert.equal(decimalText({ minorUnits: 123_456n, currency: "EUR" }), "1234.56");
    assert.equal(decimalText({ minorUnits: 7n, currency: "JPY" }), "7");
    assert.equal(decimalText({ minorUnits: 1n, currency: "KWD" }), "0.001");
  });
});
