import { writeFileSync, writeSync } from "node:fs";
import Mocha from "mocha";
import { lastLineOf, type RunResult } from "./counts.ts";

const stdout = 1;
/** How long open resources of the tests may take to close by themselves. */
const leakTimeoutMs = 5_000;
/** Not counted as leaks, because they do not keep a process running. */
const harmless = new Set(["PipeWrap", "TTYWrap", "FSReqCallback", "CloseReq"]);

/**
 * Mocha's spec report. The last line of the process is `N passed, N failed`, with `, N skipped` if
 * tests are pending. The exit code is not 0 if anything failed or nothing ran. A process that tests
 * keep running is ended after 5 s and counted as one more failure. So is a run that ends early, for
 * example because a file cannot be loaded. If `TEST_RESULT` names a file, the counts and the failures
 * are written to it as well, to be added up.
 */
export default class SettleReporter extends Mocha.reporters.Spec {
  /** Called by Mocha when all tests and hooks have run; `conclude` sets the exit code. */
  override done(failures: number, conclude: (failures: number) => void): void {
    const { passes, pending } = this.stats;
    process.off("exit", endBeforeTime);
    conclude(failures === 0 && passes === 0 ? 1 : failures);
    let leaks = 0;
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().filter((kind) => !harmless.has(kind));
      console.error(`The tests have ended but left resources open: ${open.join(", ")}`);
      leaks = 1;
      process.exit();
    }, leakTimeoutMs).unref();
    // After Mocha's own handler, which sets the exit code.
    process.once("exit", () => {
      if (leaks > 0) process.exitCode = 1;
      const counts = { passed: passes, failed: failures + leaks, skipped: pending };
      writeResult({ counts, failures: this.failures.map(describeFailure) });
    });
  }
}

// Not in a constructor: Mocha loads its reporter before the tests, but creates it afterwards.
process.once("exit", endBeforeTime);

function endBeforeTime(): void {
  process.exitCode ||= 1;
  const counts = { passed: 0, failed: 1, skipped: 0 };
  writeResult({ counts, failures: ["the run ended early; its output says why"] });
}

function describeFailure({ title, parent, err }: Mocha.Test): string {
  const titles = [...(parent?.titlePath() ?? []), title];
  return `${titles.join(" > ")}\n${err?.stack ?? err?.message ?? "without an error"}`;
}

function writeResult(result: RunResult): void {
  if (process.env.TEST_RESULT) writeFileSync(process.env.TEST_RESULT, JSON.stringify(result));
  // Written synchronously: output to a pipe would be lost when the process exits here.
  writeSync(stdout, `${lastLineOf(result.counts)}\n`);
}
