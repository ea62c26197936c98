import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { createQuotaLog } from "../base/quota-log.ts";
import { RecentMap } from "../base/recent-map.ts";
import { refuseOverQuota } from "../contract/errors.ts";

const secondMs = 1_000;
const dayMs = 86_400_000;
/** So many seconds' worth of calls may come at once. */
const burstS = 10;
const maxUsers = 20_000;
/** Covers the rounding of fractions in sums of thousands of calls. */
const roundingMs = 0.01;

/** How many calls that change data a user may make on one replica, on average. */
export type WriteQuotaLimits = {
  /** Ten times as many may come at once. */
  readonly perSecond: number;
  /** All may come at once. Also limits the user's idempotency keys, which are kept for a day. */
  readonly perDay: number;
};

export type WriteQuota = {
  /**
   * Counts one call of the user. If one of the user's quotas is used up, counts nothing and refuses
   * the call with QUOTA_EXCEEDED.
   */
  take(userId: string): void;
};

/**
 * Creates a token bucket per user and quota. It fills evenly, not at the end of a period, so a call
 * that is refused can succeed soon afterwards. Takes constant time and has no timer. Remembers the
 * 20,000 users who called last; the buckets of others count as full.
 */
export function createWriteQuota(options: {
  readonly limits: WriteQuotaLimits;
  readonly clock: Clock;
  readonly log: Logger;
}): WriteQuota {
  const { limits, clock } = options;
  const logUsed = createQuotaLog(options);
  const quotas = [
    quotaPer("second", limits.perSecond, secondMs, burstS * secondMs),
    quotaPer("day", limits.perDay, dayMs, dayMs),
  ];
  const users = new RecentMap<string, Usage>(maxUsers);

  const exceeded = (userId: string, { per, limit }: Quota, retryAfterMs: number) => {
    const quota = `writes_per_${per}`;
    logUsed({ userId, quota, limit });
    return refuseOverQuota(
      { quota, limit, retryAfterMs },
      `a user may make ${limit} calls that change data per ${per}`,
    );
  };

  return {
    take(userId) {
      const nowMs = clock.monotonicMs();
      const usage = users.use(userId, newUsage);
      const { fullAtMs } = usage;
      const missingMs = quotas.map(
        ({ perCallMs }, nth) => Math.max(0, (fullAtMs[nth] ?? 0) - nowMs) + perCallMs,
      );
      quotas.forEach((quota, nth) => {
        const waitMs = (missingMs[nth] ?? 0) - quota.sizeMs;
        if (waitMs > roundingMs) throw exceeded(userId, quota, waitMs);
      });
      usage.fullAtMs = missingMs.map((ms) => nowMs + ms);
    },
  };
}

/** A bucket, measured in the time in which it fills. */
type Quota = {
  readonly per: string;
  readonly limit: number;
  readonly perCallMs: number;
  readonly sizeMs: number;
};

function quotaPer(per: string, limit: number, periodMs: number, sizeMs: number): Quota {
  return { per, limit, perCallMs: periodMs / limit, sizeMs };
}

/** The buckets of a user. Times are of the monotonic clock. */
type Usage = {
  /** When each bucket will be full. */
  fullAtMs: readonly number[];
};

const newUsage = (): Usage => ({ fullAtMs: [] });
