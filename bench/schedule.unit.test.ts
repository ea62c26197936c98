import assert from "node:assert/strict";
import { createWallClock, dueTimes, sendInLanes, sendOnSchedule } from "./schedule.ts";

describe("the schedule", () => {
  it("spreads the due times evenly from the start", () => {
    assert.deepEqual([...dueTimes(4, 1.5)], [0, 250, 500, 750, 1_000, 1_250]);
  });

  it("neither waits for responses nor sends too early", async () => {
    const startMs = performance.now();
    const sentMs: number[] = [];
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    await sendOnSchedule([0, 20, 40], () => {
      // No response is sent before all requests are.
      if (sentMs.push(performance.now() - startMs) === 3) answer();
      return answered;
    });
    assert.equal(sentMs.length, 3);
    [0, 20, 40].forEach((dueMs, index) => {
      assert.ok((sentMs[index] ?? 0) >= dueMs);
    });
  });

  it("fails if any request failed", async () => {
    const failed = sendOnSchedule([0, 1], () => Promise.reject(new Error("refused")));
    await assert.rejects(failed, /refused/);
  });

  it("keeps one request in flight per lane", async () => {
    let underWay = 0;
    let most = 0;
    await sendInLanes(3, 0.02, async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
    });
    assert.equal(most, 3);
  });

  it("reads the wall clock with fractions of a millisecond", () => {
    const nowMs = createWallClock();
    const [before, now, after] = [Date.now(), nowMs(), Date.now()];
    assert.ok(now >= before - 1 && now <= after + 1, `${before} ${now} ${after}`);
  });
});
