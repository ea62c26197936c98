import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileErrors, validate } from "@readme/openapi-parser";
import { serviceNames } from "../../../services/services.ts";
import { findUnreadable } from "../readable.ts";
import { lint } from "../redocly.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ours = globSync("gen/openapi/*.json", { cwd: root });
const goldens = globSync("packages/protoc-gen-openapi/testdata/*/*/*.json", { cwd: root });
const lintTimeoutMs = 60_000;

describe("the OpenAPI documents", () => {
  it("exist", () => {
    assert.deepEqual(
      ours.map((file) => file.split("/").at(-1)).sort(),
      [
        ...serviceNames.flatMap((name) => [`${name}.v1.json`, `${name}.ops.v1.json`]),
        "settle.json",
      ].sort(),
    );
    assert.ok(goldens.length > 10);
  });

  for (const file of [...ours, ...goldens]) {
    it(`are valid for a second parser: ${file}`, async () => {
      const document = JSON.parse(readFileSync(join(root, file), "utf8"));
      const result = await validate(document);
      assert.ok(result.valid, result.valid ? "" : compileErrors(result));
      assert.deepEqual(result.warnings, []);
    });
  }

  it("have only schemas that generators of clients can read", () => {
    // The option int64=string-or-number asks for two types.
    const all = [...ours, ...goldens].filter((file) => !file.includes("/types/numbers/"));
    for (const file of all) {
      const document = JSON.parse(readFileSync(join(root, file), "utf8"));
      assert.deepEqual(findUnreadable(document), [], file);
    }
  });

  for (const [what, schema] of [
    ["a part without a type", { type: "string", allOf: [{ minLength: 1 }] }],
    ["alternatives", { type: "object", anyOf: [{ required: ["a"] }] }],
    ["two types", { type: ["string", "integer"] }],
    ["no type", { minLength: 1 }],
    ["a lookahead", { type: "string", pattern: "^(?!a)" }],
    ["an escape of ECMAScript alone", { type: "string", pattern: "\\u0000" }],
  ] as const) {
    it(`would be found with ${what}`, () => {
      const nested = { type: "object", properties: { a: { type: "array", items: schema } } };
      assert.equal(findUnreadable({ components: { schemas: { nested } } }).length, 1);
      assert.equal(findUnreadable({ paths: { "/a": { get: { schema } } } }).length, 1);
      assert.deepEqual(findUnreadable({ schema: { type: "string", description: "x" } }), []);
    });
  }

  it("pass the linter's specification rules, and ours the recommended ones too", function () {
    this.timeout(lintTimeoutMs);
    assert.deepEqual(lint(root, ours, "recommended"), []);
    assert.deepEqual(lint(root, goldens, "spec"), []);
  });

  it("are named by the linter when one of several has a fault", () => {
    const folder = mkdtempSync(join(tmpdir(), "settle-lint-"));
    try {
      const text = readFileSync(join(root, "gen/openapi/settle.json"), "utf8");
      const lost = text.replace('#/components/schemas/orders.v1.Order"', '#/components/x"');
      for (const [name, content] of Object.entries({ good: text, bad: lost, last: text })) {
        writeFileSync(join(folder, name), content);
      }
      const [fault = "", ...more] = lint(folder, ["good", "bad", "last"], "spec");
      assert.match(fault, /^bad: #\/.*\(no-unresolved-refs\)$/);
      assert.deepEqual(more, []);
      assert.throws(() => lint(folder, ["good", "missing"], "spec"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
