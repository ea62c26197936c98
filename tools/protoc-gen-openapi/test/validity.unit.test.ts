import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileErrors, validate } from "@readme/openapi-parser";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ours = globSync("gen/openapi/*.json", { cwd: root });
const goldens = globSync("tools/protoc-gen-openapi/testdata/*/*/*.json", { cwd: root });
/** The linter asks nobody for news. */
const quiet = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
const lintTimeoutMs = 60_000;

function lint(files: readonly string[], rules: string): { status: number | null; output: string } {
  const config = ["--config", join(import.meta.dirname, `redocly-${rules}.yaml`)];
  const { status, stdout, stderr } = spawnSync(
    "redocly",
    ["lint", ...config, "--format", "stylish", ...files],
    { cwd: root, encoding: "utf8", env: { ...process.env, ...quiet } },
  );
  return { status, output: `${stdout}${stderr}` };
}

describe("the documents", () => {
  it("are there", () => {
    assert.deepEqual(ours.map((file) => file.split("/").at(-1)).sort(), [
      "orders.v1.json",
      "payments.v1.json",
      "settle.json",
    ]);
    assert.ok(goldens.length > 10);
  });

  for (const file of [...ours, ...goldens]) {
    it(`are valid to a second reader: ${file}`, async () => {
      const document = JSON.parse(readFileSync(join(root, file), "utf8"));
      const result = await validate(document);
      assert.ok(result.valid, result.valid ? "" : compileErrors(result));
      assert.deepEqual(result.warnings, []);
    });
  }

  it("follow the specification to the linter, and ours what it recommends", function () {
    this.timeout(lintTimeoutMs);
    for (const [files, rules] of [
      [ours, "recommended"],
      [goldens, "spec"],
    ] as const) {
      const { status, output } = lint(files, rules);
      assert.equal(status, 0, output);
      assert.doesNotMatch(output, /\bwarning\b/, output);
    }
  });
});
