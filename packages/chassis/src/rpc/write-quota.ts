import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { createQuotaLog } from "../base/quota-log.ts";
import { RecentMap } from "../base/recent-map.ts";
import { refuseOverQuota } from "../contract/errors.ts";

const secondMs = 1_000;
const dayMs = 86_400_000;
/** So many seconds' worth of calls may come at once. */
const burstS = 10;
const usersRemembered = 20_000;
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
 * that is refused can succeed soon afterwards. Takes constant time and has no timer. Remembers at
 * least the 20,000 users who called last; the buckets of others count as full.
 */
export function createWriteQuota(options: {
  readonly limits: WriteQuotaLimits;
  readonly clock: Clock;
  readonly log: Logger;
}): WriteQuota {
  const { limits, clock } = options;
  const logUsed = createQuotaLog(options);
  const second = quotaPer("second", limits.perSecond, secondMs, burstS * secondMs);
  const day = quotaPer("day", limits.perDay, dayMs, dayMs);
  const users = new RecentMap<string, Usage>(usersRemembered);

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
      const secondFullMs = Math.max(usage.secondFullMs, nowMs) + second.perCallMs;
      const dayFullMs = Math.max(usage.dayFullMs, nowMs) + day.perCallMs;
      const untilSecondMs = secondFullMs - nowMs - second.sizeMs;
      if (untilSecondMs > roundingMs) throw exceeded(userId, second, untilSecondMs);
      const untilDayMs = dayFullMs - nowMs - day.sizeMs;
      if (untilDayMs > roundingMs) throw exceeded(userId, day, untilDayMs);
      usage.secondFullMs = secondFullMs;
      usage.dayFullMs = dayFullMs;
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

/** When each bucket of a user will be full, by the monotonic clock. */
type Usage = { secondFullMs: number; dayFullMs: number };

const newUsage = (): Usage => ({ secondFullMs: 0, dayFullMs: 0 });
