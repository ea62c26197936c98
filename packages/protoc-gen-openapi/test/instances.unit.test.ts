import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const testdata = "packages/protoc-gen-openapi/testdata";

type Schema = { readonly examples?: readonly unknown[]; readonly [keyword: string]: unknown };

/** Compiles schemas of a document by JSON pointer. Formats are annotations, as the standard has it. */
function readDocument(file: string) {
  const document = JSON.parse(readFileSync(join(root, file), "utf8"));
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "document");
  return {
    document,
    compile: (pointer: string): ValidateFunction => ajv.compile({ $ref: `document#${pointer}` }),
  };
}

function* findExamples(
  value: unknown,
  pointer: string,
): Generator<readonly [pointer: string, example: unknown]> {
  if (typeof value !== "object" || value === null) return;
  const { examples } = value as Schema;
  if (Array.isArray(examples)) for (const example of examples) yield [pointer, example];
  for (const [key, inside] of Object.entries(value)) {
    if (key === "examples") continue;
    const step = encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"));
    yield* findExamples(inside, `${pointer}/${step}`);
  }
}

describe("the schemas", () => {
  for (const file of [
    "gen/openapi/settle.json",
    "gen/openapi/orders.v1.json",
    "gen/openapi/payments.v1.json",
    `${testdata}/comments/expected/test.comments.v1.json`,
  ]) {
    it(`accept their examples: ${file}`, () => {
      const { document, compile } = readDocument(file);
      const examples = [...findExamples(document, "")];
      assert.ok(examples.length > 5);
      for (const [pointer, example] of examples) {
        const check = compile(pointer);
        assert.ok(check(example), `${pointer}: ${JSON.stringify([example, check.errors])}`);
      }
    });
  }

  const types = [
    `${testdata}/types/printed/test.types.v1.json`,
    "test.types.v1.Everything",
  ] as const;
  const thing = [
    `${testdata}/behavior/expected/test.behavior.v1.json`,
    "test.behavior.v1.Thing-Input",
  ] as const;
  const rules = `${testdata}/rules/expected/test.rules.v1.json`;
  const lenient = `${testdata}/types/numbers/test.types.v1.json`;
  const status = ["gen/openapi/settle.json", "google.rpc.Status"] as const;
  const errorInfo = "type.googleapis.com/google.rpc.ErrorInfo";
  const money = ["gen/openapi/settle.json", "money.v1.Money"] as const;
  const request = ["gen/openapi/settle.json", "orders.v1.CreateOrderRequest"] as const;
  const instances: [file: string, schema: string, value: unknown, isValid: boolean][] = [
    [types[0], `${types[1]}-Input`, {}, true],
    [types[0], `${types[1]}-Input`, { int64Value: "1", parent: { int64Value: "-1" } }, true],
    [types[0], `${types[1]}-Input`, { int64Value: "" }, false],
    [types[0], `${types[1]}-Input`, { int64Value: 1 }, false],
    [types[0], `${types[1]}-Input`, { unknown: 1 }, false],
    [types[0], `${types[1]}-Input`, { parent: { unknown: 1 } }, false],
    [lenient, `${types[1]}-Input`, { int64Value: 1, parent: { int64Value: "-1" } }, true],
    [lenient, `${types[1]}-Input`, { int64Value: 1.5 }, false],
    [types[0], `${types[1]}-Input`, { int32Value: 2 ** 31 }, false],
    [types[0], `${types[1]}-Input`, { name: "a" }, true],
    [types[0], `${types[1]}-Input`, { name: "a", left: "b" }, true],
    [types[0], `${types[1]}-Input`, { name: "a", number: 1 }, false],
    [types[0], `${types[1]}-Input`, { maybeInt64: "1", maybeBool: true, null: null }, true],
    [types[0], `${types[1]}-Input`, { childrenByNumber: { "-1": {} } }, true],
    [types[0], `${types[1]}-Input`, { childrenByNumber: { one: {} } }, false],
    [types[0], `${types[1]}-Input`, { children: [{ color: "COLOR_RED" }] }, true],
    [types[0], `${types[1]}-Input`, { children: [{ color: "RED" }] }, false],
    [
      types[0],
      `${types[1]}-Input`,
      { any: { "@type": "a/b" }, value: [1], duration: "1.5s" },
      true,
    ],
    [types[0], types[1], {}, false],
    [...thing, { id: "a", password: "b", part: {}, text: "c" }, true],
    [...thing, { id: "a", password: "b", part: {}, text: "c", url: "d" }, false],
    [rules, "test.rules.v1.Whole", { left: "a", red: "b" }, true],
    [rules, "test.rules.v1.Whole", { left: "a" }, false],
    [rules, "test.rules.v1.Whole", { left: "a", right: "a", red: "b" }, false],
    [rules, "test.rules.v1.Numbers", numbers({}), true],
    [rules, "test.rules.v1.Numbers", numbers({ outside: 7 }), false],
    [rules, "test.rules.v1.Numbers", numbers({ outside: 4 }), true],
    [rules, "test.rules.v1.Numbers", numbers({ outside64: "9" }), false],
    [rules, "test.rules.v1.Numbers", numbers({ outside64: "-11" }), true],
    [rules, "test.rules.v1.Numbers", numbers({ range64: "1000" }), true],
    [rules, "test.rules.v1.Narrowed.bounded", numbers({ range64: "5" }), true],
    [rules, "test.rules.v1.Narrowed.bounded", numbers({ range64: "6" }), false],
    [rules, "test.rules.v1.Narrowed.bounded", numbers({ range64: "5", positive: 10 }), false],
    [rules, "test.rules.v1.Narrowed.bounded", numbers({}), false],
    [rules, "test.rules.v1.Numbers", numbers({ range64: "1001" }), false],
    [rules, "test.rules.v1.Numbers", numbers({ range64: "-1" }), false],
    [rules, "test.rules.v1.Numbers", numbers({ denied: 3 }), false],
    [...money, { minorUnits: "1", currency: "EUR" }, true],
    [...money, { minorUnits: 1, currency: "EUR" }, false],
    [...money, { minorUnits: "1" }, false],
    [...money, { minorUnits: "1", currency: "EUR", more: 1 }, true],
    [...request, order({ minorUnits: "1", currency: "EUR" }), true],
    [...request, order({ minorUnits: 1, currency: "EUR" }), false],
    [...request, order({ minorUnits: "1", currency: "EUR", more: 1 }), false],
    [...request, { ...order({ minorUnits: "1", currency: "EUR" }), more: 1 }, false],
    [...request, { userId: "", amount: { currency: "EUR" } }, false],
    [...request, { userId: "alice" }, false],
    [...request, { userId: "alice", amount: { minorUnits: "0", currency: "EUR" } }, false],
    [...request, { userId: "alice", amount: { minorUnits: "-1", currency: "EUR" } }, false],
    [...request, { userId: "alice", amount: { currency: "EUR" } }, false],
    [...request, order({ minorUnits: "1000000000001", currency: "EUR" }), false],
    [...request, order({ minorUnits: "1000000000000", currency: "EUR" }), true],
    [...request, { ...order(), expireAfter: "2592000s" }, true],
    [...request, { ...order(), expireAfter: "0.5s" }, false],
    [...request, { ...order(), description: "\0" }, false],
    [...status, failure({ "@type": errorInfo, reason: "A", domain: "b", metadata: {} }), true],
    [...status, failure({ reason: "A", domain: "b", metadata: {} }), false],
    [...status, failure({ "@type": errorInfo, fieldViolations: [] }), false],
  ];
  for (const [file, schema, value, isValid] of instances) {
    it(`${isValid ? "accept" : "reject"} ${schema} ${JSON.stringify(value)}`, () => {
      const check = readDocument(file).compile(`/components/schemas/${schema}`);
      assert.equal(check(value), isValid, JSON.stringify(check.errors));
    });
  }
});

function failure(detail: object): object {
  return { code: 3, message: "", details: [detail] };
}

function order(amount: object = { minorUnits: "1", currency: "EUR" }): object {
  return { userId: "alice", amount };
}

/** Numbers that satisfy all rules, except for `changed`. */
function numbers(changed: object): object {
  const valid = { positive: 1, ratio: 1, only: 1, choice: 1, denied: 1 };
  return { ...valid, choice64: "1", negative: "-1", outside64: "10", ...changed };
}
