import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileErrors, validate } from "@readme/openapi-parser";
import { serviceNames } from "../../../services/services.ts";
import { lint } from "../redocly.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ours = globSync("gen/openapi/*.json", { cwd: root });
const goldens = globSync("packages/protoc-gen-openapi/testdata/*/*/*.json", { cwd: root });
const lintTimeoutMs = 60_000;

describe("the OpenAPI documents", () => {
  it("exist", () => {
    assert.deepEqual(
      ours.map((file) => file.split("/").at(-1)).sort(),
      [...serviceNames.map((name) => `${name}.v1.json`), "settle.json"].sort(),
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
