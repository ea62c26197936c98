import assert from "node:assert/strict";
import { createLineLimit } from "../../src/rpc/line-limit.ts";

describe("a limit of log lines", () => {
  it("lets so many lines pass per second and subject, and counts the others", () => {
    let nowMs = 0;
    const limit = createLineLimit(2, { nowMs: () => 0, monotonicMs: () => nowMs });
    const lines = (subject: string, count: number) =>
      Array.from({ length: count }, () => limit(subject));
    assert.deepEqual(lines("a", 5), [0, 0, undefined, undefined, undefined]);
    assert.deepEqual(lines("b", 1), [0]);
    nowMs = 999;
    assert.deepEqual(lines("a", 1), [undefined]);
    nowMs = 1_000;
    assert.deepEqual(lines("a", 3), [4, 0, undefined]);
    nowMs = 5_000;
    assert.deepEqual(lines("a", 2), [1, 0]);
  });
});
