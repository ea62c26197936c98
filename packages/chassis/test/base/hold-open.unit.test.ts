import assert from "node:assert/strict";
import { pino } from "pino";
import { holdOpen } from "../../src/base/hold-open.ts";

/** Runs the attempts one after the other, each `true` if it opens, and returns what was logged. */
async function run(attempts: readonly boolean[]) {
  const lines: string[] = [];
  const stop = new AbortController();
  const startsMs: number[] = [];
  await holdOpen({
    what: "door",
    pauses: { firstPauseMs: 4, longestPauseMs: 16 },
    signal: stop.signal,
    log: pino(
      { level: "debug" },
      { write: (line) => void lines.push(`${JSON.parse(line).level} ${JSON.parse(line).msg}`) },
    ),
    async hold(opened) {
      startsMs.push(performance.now());
      if (attempts[startsMs.length - 1]) opened();
      if (startsMs.length === attempts.length) stop.abort();
      return "wind";
    },
  });
  const pausesMs = startsMs.slice(1).map((start, index) => start - (startsMs[index] ?? 0));
  return { lines, pausesMs };
}

describe("holding something open", () => {
  it("reports changes, not attempts", async () => {
    const { lines } = await run([false, false, true, false, false, true]);
    assert.deepEqual(lines, [
      "40 door cannot be opened yet",
      "20 door cannot be opened yet",
      "30 door open",
      "40 door lost",
      "20 door cannot be opened yet",
      "20 door cannot be opened yet",
      "30 door open",
    ]);
  });

  it("reports once what opens and is lost again and again", async () => {
    const { lines } = await run(Array(6).fill(true));
    assert.deepEqual(
      lines.filter((line) => !line.startsWith("20 ")),
      ["30 door open", "40 door lost", "30 door open"],
    );
  });

  it("increases the pauses, also when each attempt succeeds for a moment", async () => {
    for (const opens of [false, true]) {
      const { pausesMs } = await run(Array(6).fill(opens));
      // Timers may be a little early, and late by any amount.
      const leastMs = [2, 4, 8, 8, 8];
      assert.ok(
        pausesMs.every((pauseMs, index) => pauseMs > (leastMs[index] ?? 0) - 1.5),
        String(pausesMs),
      );
    }
  });
});
