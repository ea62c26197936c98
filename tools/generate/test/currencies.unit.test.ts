import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { currenciesDate, currencyOf } from "@settle/gen/money/v1/currencies";
import * as library from "dinero.js/currencies";

const csv = readFileSync(
  new URL("../../../proto/money/v1/currencies.csv", import.meta.url),
  "utf8",
).split("\n");
const rows = csv
  .filter((line) => /^[A-Z]{3},/.test(line))
  .map((line) => {
    const [code = "", digits = "", withdrawn = ""] = line.split(",");
    return { code, digits: digits === "" ? undefined : Number(digits), withdrawn };
  });

describe("the currencies of the contract", () => {
  it("are all in the generated module", () => {
    assert.ok(rows.length > 300, `${rows.length} rows`);
    assert.ok(csv.includes(`# published: ${currenciesDate}`));
    for (const { code, digits, withdrawn } of rows) {
      assert.deepEqual(currencyOf(code), { digits, active: withdrawn === "" }, code);
    }
    for (const code of ["ZZZ", "AAA", "eur", "EURO", "", "constructor"]) {
      assert.equal(currencyOf(code), undefined, code);
    }
  });

  it("have the decimals of another list, which has them from elsewhere", () => {
    // Ariary and ouguiya have five subunits. ISO 4217 counts them as two decimals, the library as one.
    const isDecimal = ({ base }: (typeof others)[number]) => base === 10;
    const others = Object.values(library);
    assert.deepEqual(
      others.filter((other) => !isDecimal(other)).map(({ code }) => code),
      ["MGA", "MRU"],
    );
    for (const { code, exponent } of others.filter(isDecimal)) {
      assert.equal(currencyOf(code)?.digits, exponent, code);
    }
    const known = new Set<string>(others.map(({ code }) => code));
    const active = rows.filter(({ digits, withdrawn }) => withdrawn === "" && digits !== undefined);
    assert.deepEqual(
      active.filter(({ code }) => !known.has(code)),
      [],
    );
  });

  it("tell active codes, withdrawn codes and codes without minor units apart", () => {
    const { EUR, HUF, IQD, XCG, ZWG, BGN, HRK, ANG, CUC, SLL, ZWL, ITL, XAU, XTS, XDR, ALK } =
      Object.fromEntries(rows.map(({ code }) => [code, currencyOf(code)]));
    for (const one of [EUR, HUF, XCG, ZWG]) assert.deepEqual(one, { digits: 2, active: true });
    assert.deepEqual(IQD, { digits: 3, active: true });
    for (const one of [BGN, HRK, ANG, CUC, SLL, ZWL]) {
      assert.deepEqual(one, { digits: 2, active: false });
    }
    assert.deepEqual(ITL, { digits: 0, active: false });
    for (const one of [XAU, XTS, XDR]) {
      assert.deepEqual(one, { digits: undefined, active: true });
    }
    assert.deepEqual(ALK, { digits: undefined, active: false });
  });
});
