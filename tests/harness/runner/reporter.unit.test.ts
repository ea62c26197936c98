import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readResult } from "./counts.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the reporter", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-reporter-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs mocha on these lines and returns its exit code and the last line it printed. */
  function runFixture(...lines: string[]): Promise<{ code: unknown; last: string | undefined }> {
    const file = join(folder, "fixture.test.ts");
    writeFileSync(file, lines.join("\n"));
    const mocha = join(root, "node_modules/mocha/bin/mocha.js");
    const result = join(folder, "result.json");
    const env = { ...process.env, TEST_RESULT: result };
    return new Promise((resolve) => {
      execFile(process.execPath, [mocha, file], { cwd: root, env }, (error, stdout) => {
        resolve({ code: error?.code ?? 0, last: stdout.trimEnd().split("\n").at(-1) });
      });
    });
  }

  it("ends with the counts of passed and failed tests", async () => {
    const run = await runFixture(
      'it("one", () => {});',
      'it("two", () => { throw new Error("no"); });',
      'after(() => { process.on("exit", () => console.log("late words")); });',
    );
    assert.deepEqual(run, { code: 1, last: "1 passed, 1 failed" });
  });

  it("leaves its counts and failures in a file", async () => {
    await runFixture(
      'describe("some", () => { it("two", () => { throw new Error("no"); }); });',
      'after(() => { throw new Error("never"); });',
    );
    const { counts, failures } = readResult(join(folder, "result.json"));
    assert.deepEqual(counts, { passed: 0, failed: 2, skipped: 0 });
    assert.deepEqual(
      failures.map((failure) => failure.split("\n", 2)),
      [
        ["some > two", "Error: no"],
        ['"after all" hook in "{root}"', "Error: never"],
      ],
    );
  });

  it("reports a run that left no file as failed", () => {
    assert.equal(readResult(join(folder, "none.json")).counts.failed, 1);
  });

  it("names skipped tests only when there are any", async () => {
    const run = await runFixture('it("one", () => {});', 'it.skip("two", () => {});');
    assert.deepEqual(run, { code: 0, last: "1 passed, 0 failed, 1 skipped" });
  });

  it("counts a failing hook", async () => {
    const run = await runFixture(
      'it("one", () => {});',
      'after(() => { throw new Error("no"); });',
    );
    assert.deepEqual(run, { code: 1, last: "1 passed, 1 failed" });
  });

  it("fails a run without any test", async () => {
    const run = await runFixture('it.skip("one", () => {});');
    assert.deepEqual(run, { code: 1, last: "0 passed, 0 failed, 1 skipped" });
  });

  it("counts a file that cannot be loaded", async () => {
    const run = await runFixture('import "./no-such-file.ts";');
    assert.deepEqual(run, { code: 1, last: "0 passed, 1 failed" });
  });

  it("ends a process that tests keep running, and counts it as a failure", async () => {
    const run = await runFixture('it("one", () => { setInterval(() => {}, 1000); });');
    assert.deepEqual(run, { code: 1, last: "1 passed, 1 failed" });
  });
});
