import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { Exit } from "../../process/nursery.ts";
import { type Part, restartPauseMs, supervise } from "../../process/supervise.ts";

describe("supervision", () => {
  /** A part that the test starts and ends, and its reports. */
  function setup({ failingStarts = [] as number[] } = {}) {
    const stop = new AbortController();
    const reports = new EventEmitter();
    const seen: string[] = [];
    let starts = 0;
    let nowMs = 0;
    let end: (exit: Exit) => void = () => {};
    const part: Part = {
      name: "part",
      async start() {
        starts += 1;
        if (failingStarts.includes(starts)) throw new Error(`start ${starts} failed`);
        const { promise, resolve } = Promise.withResolvers<Exit>();
        end = resolve;
        return { exited: promise, address: "here", [Symbol.asyncDispose]: async () => {} };
      },
    };
    const report = (_: string, state: string, detail: string) => {
      seen.push(`${state} ${detail}`.trim());
      reports.emit(state);
    };
    return {
      seen,
      stop,
      reports,
      end: () => end({ code: 1, reason: "exit code 1" }),
      supervised: () => supervise({ part, report, signal: stop.signal, nowMs: () => nowMs }),
      pass: (ms: number) => {
        nowMs += ms;
      },
    };
  }

  it("increases the pause from 0.5 s to 2 s while starts fail", () => {
    assert.deepEqual([0, 1, 2, 3, 4, 50].map(restartPauseMs), [0, 500, 1_000, 2_000, 2_000, 2_000]);
  });

  it("restarts a part that was ready at once, however often it ends", async () => {
    const { seen, stop, reports, end, pass, supervised } = setup();
    await supervised();
    for (let times = 0; times < 5; times += 1) {
      const again = once(reports, "ready");
      pass(1_000);
      end();
      await again;
    }
    stop.abort();
    const died = seen.filter((line) => line.startsWith("died"));
    assert.deepEqual(died, Array(5).fill("died exit code 1; starting again now"));
  });

  it("restarts a part, also if the restart fails at first", async () => {
    const { seen, stop, reports, end, supervised } = setup({ failingStarts: [2] });
    await supervised();
    const again = once(reports, "ready");
    end();
    await again;
    stop.abort();
    assert.deepEqual(seen, [
      "starting",
      "ready here",
      "died exit code 1; starting again in 0.5 s",
      "starting",
      "died start 2 failed; starting again in 1 s",
      "starting",
      "ready here",
    ]);
  });

  it("fails if the first start fails", async () => {
    const { supervised } = setup({ failingStarts: [1] });
    await assert.rejects(supervised(), /start 1 failed/);
  });

  it("does not restart a part that ends after the stop", async () => {
    const { seen, stop, end, supervised } = setup();
    await supervised();
    stop.abort();
    end();
    await new Promise(setImmediate);
    assert.deepEqual(seen, ["starting", "ready here"]);
  });
});
