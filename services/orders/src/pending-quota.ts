import { setTimeout } from "node:timers/promises";
import type { Clock } from "@settle/chassis/base/clock";
import { createQuotaLog } from "@settle/chassis/base/quota-log";
import { RecentMap } from "@settle/chassis/base/recent-map";
import type { Database } from "@settle/chassis/database/database";
import type { Foundations } from "@settle/chassis/service";
import { createBatcher } from "@settle/chassis/writes/batcher";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";

/** The name of the quota, for programs. */
export const pendingOrders = "pending_orders";
/** How soon the orders of a user who is at the limit are counted again. */
export const recountMs = 1_000;
/** How soon, likewise, if the user is near the limit: orders being placed are not counted yet. */
const recountNearMs = 100;
/** After a count, a user may place this part of the limit before the next one, or this number. */
const partPerCount = 4;
const leastPerCount = 100;
/** The part of the limit that a user may place without any count. */
const partUncounted = 10;
const maxUsers = 10_000;
const maxBatchSize = 16;
const maxCountsWaiting = 10_000;

export type PendingQuota = AsyncDisposable & {
  /**
   * Whether the user may place another order: takes a place for it if so. Rejects if the orders
   * have to be counted and the database cannot be read.
   */
  take(userId: string): Promise<boolean>;
};

/**
 * Limits the pending orders of each user to about `max`. They are counted in the database only for
 * users who have placed many on this replica since the last count, so that hardly any order waits
 * for it. Orders that are being placed, or were placed by another replica after the count, are not
 * in it, so a user can have some more than `max`.
 */
export function createPendingQuota(
  options: Pick<Foundations, "database" | "log"> & {
    readonly clock: Clock;
    readonly max: number;
  },
): PendingQuota {
  const { database, clock, max } = options;
  const logUsed = createQuotaLog(options);
  const users = new RecentMap<string, Places>(maxUsers);
  const counts = createBatcher({
    maxBatchSize,
    maxWaiting: maxCountsWaiting,
    isShared: () => true,
    run: (userIds: readonly string[]) => countPending(database, userIds, max),
  });
  const newPlaces = (): Places => ({
    untilCount: Math.ceil(max / partUncounted),
    isFull: false,
    recountAtMs: Number.NEGATIVE_INFINITY,
    counting: undefined,
  });
  const count = async (userId: string, places: Places) => {
    try {
      const earlyMs = places.recountAtMs - clock.monotonicMs();
      if (earlyMs > 0) await setTimeout(earlyMs);
      const left = max - (await counts.submit(userId));
      const step = Math.max(leastPerCount, Math.ceil(max / partPerCount));
      places.untilCount = Math.min(left, step);
      places.isFull = left <= 0;
      const nextMs = places.isFull ? recountMs : left < step ? recountNearMs : 0;
      places.recountAtMs = clock.monotonicMs() + nextMs;
      if (places.isFull) logUsed({ userId, quota: pendingOrders, limit: max });
    } finally {
      places.counting = undefined;
    }
  };

  return {
    async take(userId) {
      const places = users.use(userId, newPlaces);
      while (places.untilCount <= 0) {
        if (places.isFull && clock.monotonicMs() < places.recountAtMs) return false;
        // Many calls may wait for the same count.
        places.counting ??= count(userId, places);
        await places.counting;
      }
      places.untilCount -= 1;
      return true;
    },
    [Symbol.asyncDispose]: () => counts[Symbol.asyncDispose](),
  };
}

/** What a user may still place, as far as this replica knows. */
type Places = {
  /** How many before the next count. */
  untilCount: number;
  /** Whether the last count found none left. */
  isFull: boolean;
  /** The earliest time of the next count, by the monotonic clock. */
  recountAtMs: number;
  counting: Promise<void> | undefined;
};

/** Counts the pending orders of each user, up to `max`. */
async function countPending(
  database: Database,
  userIds: readonly string[],
  max: number,
): Promise<readonly number[]> {
  const rows = await database.read<{ pending: string }>(
    `SELECT (
       SELECT count(*) FROM (
         SELECT FROM orders
         WHERE user_id = asked.user_id AND status = ${OrderStatus.PENDING_PAYMENT} LIMIT $2
       ) AS found
     ) AS pending
     FROM unnest($1::text[]) WITH ORDINALITY AS asked (user_id, place) ORDER BY place`,
    [userIds, max],
  );
  return rows.map(({ pending }) => Number(pending));
}
