import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { copyProject } from "../../tools/new-service/project-copy.ts";
import { fencedBlocks } from "../harness/documents/fenced-blocks.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const tutorial = readFileSync(join(root, "docs/extend.md"), "utf8");
const timeoutMs = 120_000;
/** How a command of the tutorial is run here, on the servers of this test run. */
const commands: Readonly<Record<string, (args: string) => readonly [string, ...string[]]>> = {
  "npm run generate": () => [process.execPath, "tools/generate/generate.ts"],
  "npm test --": (file) => [process.execPath, "node_modules/mocha/bin/mocha.js", file],
};

describe("the tutorial", function () {
  this.timeout(timeoutMs);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-extend-"));
    copyProject(root, folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const type = async (command: readonly [string, ...string[]]) => {
    const [program, ...args] = command;
    await run(program, args, { cwd: folder, timeout: timeoutMs }).catch((error) =>
      assert.fail(`${command.join(" ")}\n${error.stdout}${error.stderr}`),
    );
  };

  it("has diffs that apply one after the other", () => {
    const diffs = fencedBlocks(tutorial, "diff");
    assert.ok(diffs.length >= 10, `only ${diffs.length} diffs`);
    for (const input of diffs) execFileSync("git", ["apply", "-"], { cwd: folder, input });
  });

  it("ends with code that is generated, compiles, and passes its test", async () => {
    // Each once, after all diffs: what the steps before would generate is overwritten.
    const steps = new Set(fencedBlocks(tutorial, "sh step").join("").trim().split("\n"));
    const [generate, ...tests] = Array.from(steps, (step) => {
      const [start] = Object.keys(commands).filter((command) => step.startsWith(command));
      assert.ok(start, step);
      return commands[start]?.(step.slice(start.length).trim()) ?? assert.fail(step);
    });
    assert.ok(generate && tests.length > 0);
    await type(generate);
    const config = { extends: "./tsconfig.json", include: ["services"] };
    writeFileSync(join(folder, "tsconfig.tutorial.json"), JSON.stringify(config));
    const compile = ["node_modules/.bin/tsc", "--project", "tsconfig.tutorial.json"] as const;
    await Promise.all([compile, ...tests].map(type));
  });
});
