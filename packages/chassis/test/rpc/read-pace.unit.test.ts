import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { createReadPace } from "../../src/rpc/read-pace.ts";

function setup(bytesPerSecond: number) {
  let nowMs = 1_000;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  return {
    pace: createReadPace(bytesPerSecond, clock),
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

describe("the pace of reads", () => {
  it("delays nobody who has not had the bytes of half a second", () => {
    const { pace } = setup(1_000);
    assert.equal(pace.delayMs("alice"), 0);
    pace.spend("alice", 200);
    pace.spend("alice", 300);
    assert.equal(pace.delayMs("alice"), 0);
  });

  it("delays a user by what is beyond that, and no other user", () => {
    const { pace, pass } = setup(1_000);
    pace.spend("alice", 3_000);
    assert.equal(pace.delayMs("alice"), 2_500);
    assert.equal(pace.delayMs("bob"), 0);
    pass(2_000);
    assert.equal(pace.delayMs("alice"), 500);
    pass(500);
    assert.equal(pace.delayMs("alice"), 0);
    pace.spend("alice", 100);
    assert.equal(pace.delayMs("alice"), 100);
  });

  it("lets a user save no more than the bytes of half a second", () => {
    const { pace, pass } = setup(1_000);
    pass(60_000);
    pace.spend("alice", 1_000);
    assert.equal(pace.delayMs("alice"), 500);
  });
});
