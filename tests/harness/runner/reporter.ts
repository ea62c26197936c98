import { writeFileSync, writeSync } from "node:fs";
import Mocha from "mocha";
import { lastLineOf } from "./counts.ts";

const stdout = 1;
/** How long what the tests left open may take to end by itself. */
const leakTimeoutMs = 5_000;
/** Not counted as leaks: they do not keep a process alive. */
const harmless = new Set(["PipeWrap", "TTYWrap", "FSReqCallback", "CloseReq"]);

/**
 * Mocha's spec report, ended by the very last line of the process: `N passed, N failed`, with
 * `, N skipped` where tests are pending. The exit code is not 0 when anything failed or nothing
 * ran. A process that tests keep alive is ended after 5 s and counted as one failure more, and so
 * is a run that ended before its time, for example in a file that cannot be loaded. Where
 * `TEST_COUNTS` names a file, the counts go there as well, for whoever adds them up.
 */
export default class SettleReporter extends Mocha.reporters.Spec {
  /** Mocha calls it when all tests and hooks have run; `conclude` sets the exit code. */
  override done(failures: number, conclude: (failures: number) => void): void {
    const { passes, pending } = this.stats;
    process.off("exit", endBeforeTime);
    conclude(failures === 0 && passes === 0 ? 1 : failures);
    let leaks = 0;
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().filter((kind) => !harmless.has(kind));
      console.error(`The tests have ended but something they opened has not: ${open.join(", ")}`);
      leaks = 1;
      process.exit();
    }, leakTimeoutMs).unref();
    // After Mocha's own handler, which sets the exit code.
    process.once("exit", () => {
      if (leaks > 0) process.exitCode = 1;
      writeLastLine(passes, failures + leaks, pending);
    });
  }
}

// Here and not in a constructor: Mocha loads its reporter before the tests, and makes it after.
process.once("exit", endBeforeTime);

function endBeforeTime(): void {
  process.exitCode ||= 1;
  writeLastLine(0, 1, 0);
}

function writeLastLine(passed: number, failed: number, skipped: number): void {
  const counts = { passed, failed, skipped };
  if (process.env.TEST_COUNTS) writeFileSync(process.env.TEST_COUNTS, JSON.stringify(counts));
  // Written at once: a pipe would otherwise be cut off when the process ends here.
  writeSync(stdout, `${lastLineOf(counts)}\n`);
}
