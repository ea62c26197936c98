import assert from "node:assert/strict";
import { histogramOf, percentile, throughputOf } from "../src/load/load-stats.ts";
import { maxOpenOrders, maxRequests, runLoad } from "../src/load/run-load.ts";
import { createTally, maxEarly, type Settled } from "../src/load/tally.ts";

describe("the figures of a run", () => {
  it("include the percentiles of the latencies", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    assert.equal(percentile(hundred, 0.5), 50);
    assert.equal(percentile(hundred, 0.99), 99);
    assert.equal(percentile([7], 0.99), 7);
    assert.equal(percentile([], 0.5), 0);
  });

  it("assign every latency to a range, the longest to the last", () => {
    const { counts, widthMs } = histogramOf([
      ...Array.from({ length: 199 }, (_, n) => n / 10),
      9_000,
    ]);
    assert.equal(
      counts.reduce((all, count) => all + count, 0),
      200,
    );
    assert.ok(counts.length <= 24);
    assert.equal(widthMs, 1);
    assert.ok((counts.at(-1) ?? 0) >= 1);
    assert.deepEqual(histogramOf([]).counts, [0]);
  });

  it("count per second, including the last, incomplete interval", () => {
    const { perSecond, pieceMs } = throughputOf([10, 20, 110, 120, 130, 210], 250);
    assert.equal(pieceMs, 100);
    assert.deepEqual(perSecond, [20, 30, 20]);
    assert.deepEqual(throughputOf([10, 203], 205).perSecond, [10, 0, 20]);
    assert.ok(throughputOf([], 3_600_000).perSecond.length <= 60);
  });
});

describe("a run", () => {
  function setup(total: number) {
    let tell: (settled: readonly Settled[]) => void = () => {};
    const answers: ((id: string) => void)[] = [];
    const failures: ((error: Error) => void)[] = [];
    let nowMs = 0;
    const stop = new AbortController();
    const result = runLoad({
      total,
      place: () =>
        new Promise((resolve, reject) => {
          answers.push(resolve);
          failures.push(reject);
        }),
      onSettled(listen) {
        tell = listen;
        return () => {};
      },
      onProgress() {},
      nowMs: () => nowMs,
      signal: stop.signal,
    });
    return {
      answers,
      failures,
      stop,
      result,
      at: (ms: number) => {
        nowMs = ms;
      },
      paid: (id: string) => tell([{ id, isPaid: true }]),
      declined: (id: string) => tell([{ id, isPaid: false }]),
      turn: () => new Promise(setImmediate),
    };
  }

  it("measures from the request to the change, even if the response arrives later", async () => {
    const run = setup(2);
    run.at(5);
    run.answers[0]?.("a");
    await run.turn();
    run.at(20);
    run.paid("a");
    run.at(30);
    run.declined("b");
    run.at(40);
    run.answers[1]?.("b");
    const { latenciesMs, settledMs, declined, end } = await run.result;
    assert.deepEqual([latenciesMs, settledMs, declined, end], [[20, 30], [20, 30], 1, "done"]);
  });

  it("keeps the newest change that arrives before the response", () => {
    const tally = createTally(1, () => 0);
    const beganMs = tally.begin();
    for (let n = 0; n < maxEarly; n += 1) tally.hear([{ id: `other ${n}`, isPaid: true }]);
    tally.hear([{ id: "mine", isPaid: true }]);
    tally.answered("mine", beganMs);
    assert.equal(tally.over, 1);
  });

  it("limits concurrent requests and open orders", async () => {
    const run = setup(1_000);
    assert.equal(run.answers.length, maxRequests);
    for (let n = 0; n < 200; n += 1) {
      run.answers[n]?.(`o${n}`);
      await run.turn();
    }
    assert.equal(run.answers.length, maxOpenOrders);
    run.paid("o0");
    assert.equal(run.answers.length, maxOpenOrders + 1);
    run.stop.abort();
    assert.equal((await run.result).end, "stopped");
  });

  it("continues after a rejected order, and ends", async () => {
    const run = setup(1);
    run.failures[0]?.(new Error("overloaded"));
    const { failed, end, lastError } = await run.result;
    assert.deepEqual([failed, end, String(lastError)], [1, "done", "Error: overloaded"]);
  });
});
