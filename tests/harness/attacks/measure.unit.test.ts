import assert from "node:assert/strict";
import { longestRecoveryMs } from "./measure.ts";

describe("the recovery from a fault", () => {
  const sample = (dueMs: number, tookMs: number, failure?: string) => {
    return { kind: "get", protocol: "REST", dueMs, tookMs, failure } as const;
  };
  const isBad = ({ tookMs, failure }: { tookMs: number; failure: string | undefined }) =>
    failure !== undefined || tookMs > 500;
  const recoveryOf = (samples: readonly ReturnType<typeof sample>[], ...marksMs: number[]) =>
    longestRecoveryMs(samples, isBad, marksMs);

  it("lasts until the end of the last bad call, and is 0 without one", () => {
    const samples = [sample(1_100, 200, "gone"), sample(1_200, 1_800), sample(4_000, 10)];
    assert.equal(recoveryOf(samples, 1_000), 2_000);
    assert.equal(recoveryOf([sample(1_100, 10)], 1_000), 0);
    assert.equal(recoveryOf([sample(100, 10, "before")], 1_000), 0);
  });

  it("is the longest of several, each of which begins anew", () => {
    const samples = [sample(1_100, 900, "gone"), sample(13_100, 2_900, "gone")];
    assert.equal(recoveryOf(samples, 1_000, 13_000), 3_000);
  });

  it("does not include a call that the next fault broke", () => {
    const broken = sample(12_995, 25, "gone");
    assert.equal(recoveryOf([sample(1_100, 400, "gone"), broken], 1_000, 13_000), 500);
    const waiting = sample(2_000, 12_000, "gone");
    assert.equal(recoveryOf([waiting], 1_000, 13_000), 12_000, "it was bad before");
  });
});
