import { readFileSync } from "node:fs";

/** How many tests of a run ended how. */
export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/** What a run ends with: `N passed, N failed`, with `, N skipped` where there are any. */
export function lastLineOf({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Reads what a run has left in `file`; one that has left nothing counts as a failure. */
export function readCounts(file: string): Counts {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** Adds runs up. */
export function sumOf(runs: readonly Counts[]): Counts {
  return runs.reduce((sum, run) => ({
    passed: sum.passed + run.passed,
    failed: sum.failed + run.failed,
    skipped: sum.skipped + run.skipped,
  }));
}
