import { readFileSync } from "node:fs";

/** The number of tests of a run, by result. */
export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/** What a run leaves for the process that started it. */
export type RunResult = {
  readonly counts: Counts;
  /** Each failed test or hook with its error, as the run printed it. */
  readonly failures: readonly string[];
};

/** Returns the last line of a run: `N passed, N failed`, with `, N skipped` if there are any. */
export function lastLineOf({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Reads the result of a run from `file`; a run without one is a failure. */
export function readResult(file: string): RunResult {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {
      counts: { passed: 0, failed: 1, skipped: 0 },
      failures: [`no result in ${file}: the run ended early`],
    };
  }
}

/** Adds up the counts of several runs. */
export function sumOf(runs: readonly Counts[]): Counts {
  return runs.reduce((sum, run) => ({
    passed: sum.passed + run.passed,
    failed: sum.failed + run.failed,
    skipped: sum.skipped + run.skipped,
  }));
}
