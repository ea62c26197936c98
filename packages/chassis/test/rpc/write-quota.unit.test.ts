import assert from "node:assert/strict";
import type { ConnectError } from "@connectrpc/connect";
import { pino } from "pino";
import { errorInfoOf } from "../../src/contract/errors.ts";
import { createWriteQuota, type WriteQuotaLimits } from "../../src/rpc/write-quota.ts";

const ample = 1_000_000;

/** A quota on a clock that the test turns, and what it logs. */
function setupQuota(limits: Partial<WriteQuotaLimits>) {
  let nowMs = 123_456.789;
  const lines: Record<string, unknown>[] = [];
  const quota = createWriteQuota({
    limits: { perSecond: ample, perDay: ample, ...limits },
    clock: { nowMs: () => 0, monotonicMs: () => nowMs },
    log: pino({}, { write: (line) => lines.push(JSON.parse(line)) }),
  });
  /** Returns the metadata of the refusal; undefined if the call is not refused. */
  const take = (userId: string) => {
    try {
      quota.take(userId);
      return undefined;
    } catch (error) {
      const info = errorInfoOf(error);
      assert.equal(info?.reason, "QUOTA_EXCEEDED");
      return info.metadata;
    }
  };
  /** Makes calls until one is refused, and returns how many were not. */
  const takeAll = (userId: string) => {
    for (let taken = 0; taken < ample; taken += 1) if (take(userId)) return taken;
    return ample;
  };
  return { quota, lines, take, takeAll, passMs: (ms: number) => (nowMs += ms) };
}

describe("the quota of calls that change data", () => {
  for (const perSecond of [1, 3, 7, 200]) {
    it(`lets ten seconds' worth pass at once, and then ${perSecond} a second`, () => {
      const { takeAll, passMs } = setupQuota({ perSecond });
      assert.equal(takeAll("alice"), perSecond * 10);
      for (let second = 0; second < 5; second += 1) {
        passMs(1_000);
        assert.equal(takeAll("alice"), perSecond);
      }
      passMs(3_600_000);
      assert.equal(takeAll("alice"), perSecond * 10, "full again, and not more");
    });
  }

  it("gives as many calls as the sum of both, however they are spread", () => {
    const { take, passMs } = setupQuota({ perSecond: 10 });
    let taken = 0;
    for (let call = 0; call < 3_000; call += 1) {
      if (!take("alice")) taken += 1;
      passMs(10);
    }
    assert.ok(Math.abs(taken - (100 + 300)) <= 1, `${taken}`);
  });

  it("is of each user alone", () => {
    const { take, takeAll } = setupQuota({ perSecond: 1 });
    takeAll("alice");
    assert.ok(take("alice"));
    assert.equal(takeAll("bob"), 10);
  });

  it("says which one is used up, how large it is, and when to try again", () => {
    const { quota, take, takeAll, passMs } = setupQuota({ perDay: 24 });
    assert.equal(takeAll("alice"), 24);
    const hourS = 3_600;
    assert.deepEqual(take("alice"), {
      quota: "writes_per_day",
      limit: "24",
      retry_after_seconds: String(hourS),
    });
    assert.throws(
      () => quota.take("alice"),
      (error: ConnectError) => error.metadata.get("retry-after") === String(hourS),
    );
    passMs(hourS * 1_000 - 1_500);
    assert.equal(take("alice")?.retry_after_seconds, "2");
    passMs(1_500);
    assert.equal(take("alice"), undefined);
    assert.ok(take("alice"));
  });

  it("is not used by calls that it refuses", () => {
    const { take, takeAll, passMs } = setupQuota({ perSecond: 1, perDay: 20 });
    takeAll("alice");
    for (let call = 0; call < 1_000; call += 1) assert.ok(take("alice"));
    passMs(10_000);
    assert.equal(takeAll("alice"), 10, "of the day, none was lost");
  });

  it("is logged once a minute for a user who goes on", () => {
    const { lines, takeAll, passMs } = setupQuota({ perSecond: 1 });
    for (let second = 0; second < 119; second += 1) {
      takeAll("alice");
      passMs(1_000);
    }
    takeAll("bob");
    assert.deepEqual(
      lines.map(({ userId, quota, limit }) => [userId, quota, limit]),
      ["alice", "alice", "bob"].map((userId) => [userId, "writes_per_second", 1]),
    );
  });
});
