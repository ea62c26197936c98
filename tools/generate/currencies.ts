import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const source = "proto/money/v1/currencies.csv";
const generated = "gen/es/money/v1/currencies.ts";

/**
 * Writes the currencies of `root`'s contract as TypeScript into `target`, in a tenth of the size: a
 * page loads it too. Throws if a row is malformed or a code occurs twice.
 */
export function writeCurrencies(root: string, target: string): void {
  const path = join(target, generated);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, currenciesModule(readFileSync(join(root, source), "utf8")));
}

function currenciesModule(csv: string): string {
  const [, published] = /^# published: (\d{4}-\d{2}-\d{2})$/m.exec(csv) ?? assert.fail(source);
  const [, ...rows] = csv.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const groups = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const row of rows) {
    const [, code = "", digits, withdrawn] =
      /^([A-Z]{3}),(\d?),((?:\d{4}(?:-\d{2})?)?)$/.exec(row) ?? assert.fail(`${source}: ${row}`);
    assert(!seen.has(code), `${source} has ${code} twice`);
    seen.add(code);
    const key = `${digits || undefined}, ${withdrawn === ""}`;
    groups.set(key, [...(groups.get(key) ?? []), code]);
  }
  const lines = [...groups].sort().map(([key, codes]) => `  [${key}, "${codes.join(" ")}"],`);
  return `// Generated from ${source} by \`npm run generate\`. Do not edit.

/** The date of the ISO 4217 lists that these currencies are from. */
export const currenciesDate = "${published}";

/** What a code must be for {@link currencyOf} to return its currency. */
export const currencyRule = "must be a code of ISO 4217, as published on ${published}";

/** What ISO 4217 says about a currency. */
export type Currency = {
  /** The number of decimals; undefined if the currency has no minor units, or they are unknown. */
  readonly digits: number | undefined;
  /** Whether the code is in use; otherwise it is withdrawn. */
  readonly active: boolean;
};

const groups: readonly (readonly [digits: number | undefined, active: boolean, codes: string])[] = [
${lines.join("\n")}
];

const currencies: ReadonlyMap<string, Currency> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ groups.flatMap(([digits, active, codes]) =>
    codes.split(" ").map((code): [string, Currency] => [code, { digits, active }]),
  ),
);

/** Returns the currency of a code; undefined if ISO 4217 has never had this code. */
export function currencyOf(code: string): Currency | undefined {
  return currencies.get(code);
}
`;
}
