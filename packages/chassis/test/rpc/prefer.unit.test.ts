import assert from "node:assert/strict";
import { preferredWaitMs } from "../../src/rpc/prefer.ts";

const read = (prefer: string | undefined, leftMs?: number) => {
  const responseHeader = new Headers();
  const requestHeader = new Headers(prefer === undefined ? {} : { prefer });
  const waitMs = preferredWaitMs({ requestHeader, responseHeader, timeoutMs: () => leftMs });
  return [waitMs, responseHeader.get("preference-applied")];
};

describe("the preference to wait", () => {
  it("is found among other preferences, and reported as applied", () => {
    assert.deepEqual(read("wait=5"), [5_000, "wait=5"]);
    assert.deepEqual(read('respond-async; foo="a", Wait = "3"'), [3_000, "wait=3"]);
  });

  it("is for ten seconds at most, and never longer than the call has", () => {
    assert.deepEqual(read("wait=600"), [10_000, "wait=10"]);
    assert.deepEqual(read("wait=5", 2_000), [1_750, "wait=5"]);
    assert.deepEqual(read("wait=5", 100), [0, "wait=5"]);
  });

  it("is refused when it is said twice", () => {
    for (const prefer of ["wait=5, wait=5", "wait=5, respond-async, Wait=soon", "wait=0;wait=1"]) {
      assert.throws(() => read(prefer), /prefer: must contain wait only once/);
    }
  });

  it("is ignored when it is not understood", () => {
    for (const prefer of [
      undefined,
      "",
      "wait",
      "wait=",
      "wait=soon",
      "wait=-1",
      "await=5",
      "wait=0",
    ]) {
      assert.deepEqual(read(prefer), [0, null], prefer);
    }
  });
});
