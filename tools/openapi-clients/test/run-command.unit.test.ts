import assert from "node:assert/strict";
import { findReason, runCommand, ToolFailure } from "../run-command.ts";

const timeoutMs = 30_000;
const node = (code: string) => ({ command: process.execPath, args: ["-e", code] });

describe("a command", () => {
  it("returns what it prints, line by line", async () => {
    const lines: string[] = [];
    const code = "process.stdout.write('a\\nb'); setImmediate(() => console.log('c'))";
    const printed = await runCommand(node(code), {
      timeoutMs,
      onLine: (line) => lines.push(line),
    });
    assert.equal(printed, "a\nbc\n");
    assert.deepEqual(lines, ["a", "bc"]);
  });

  it("fails with its complaint", async () => {
    const failure = await runCommand(node("console.log('x'); throw new TypeError('bad')"), {
      timeoutMs,
    }).catch((error) => error);
    assert.ok(failure instanceof ToolFailure);
    assert.equal(failure.message, "TypeError: bad");
    assert.match(failure.output, /^x\n/);
  });

  it("fails if it is missing, or takes too long", async () => {
    const missing = runCommand({ command: "no-such-program", args: [] }, { timeoutMs });
    await assert.rejects(missing, { message: "no-such-program is not installed" });
    const late = runCommand(node("setInterval(() => {}, 1_000)"), { timeoutMs: 1 });
    await assert.rejects(late, { message: "it took longer than 0.001 s" });
  });

  it("is stopped by the signal", async () => {
    const signal = AbortSignal.abort(new Error("stopped"));
    const stopped = runCommand(node("setInterval(() => {}, 1_000)"), { timeoutMs, signal });
    await assert.rejects(stopped, { message: "stopped" });
  });
});

describe("the reason of a failure", () => {
  const cases: readonly (readonly [output: string, reason: string])[] = [
    [
      "Generating\n\u001B[31mclient/a.ts(1,2): error TS1: bad\u001B[0m\nFound 1 error",
      "client/a.ts(1,2): error TS1: bad",
    ],
    ["# journey\nclient/a.go:1:2: no field x\ntoo many errors", "client/a.go:1:2: no field x"],
    ["Traceback:\n  File x\nKeyError: 'amount'\n", "KeyError: 'amount'"],
    ["journey.py:1: error: no\nFound 1 error in 1 file", "journey.py:1: error: no"],
    [
      'Exception in thread "main" java.lang.RuntimeException: no\n\tat x',
      'Exception in thread "main" java.lang.RuntimeException: no',
    ],
    ["one\ntwo", "two"],
    ["", ""],
  ];
  for (const [output, reason] of cases) {
    it(`is found: ${reason || "none"}`, () => assert.equal(findReason(output), reason));
  }

  it("is at most 200 characters long", () => {
    assert.equal(findReason("a".repeat(300)), `${"a".repeat(200)} ...`);
  });
});
