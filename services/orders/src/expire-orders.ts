import { type Loop, startLoop } from "@settle/chassis/base/loop";
import type { Transaction } from "@settle/chassis/database/database";
import type { Foundations } from "@settle/chassis/service";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { cancelPending } from "./cancel-orders.ts";

const batchSize = 500;
const intervalMs = 1_000;

type Means = Pick<Foundations, "outbox" | "hints" | "clock" | "newId">;

/**
 * Cancels orders whose payment is still pending at their expire time, as CancelOrder does. An order
 * expires once its time has come by every clock. Each run takes a limited number, the first to expire
 * first, and leaves out users and orders that another transaction has locked. Replicas may run it at
 * the same time.
 */
export function startExpiringOrders(foundations: Foundations): Loop {
  const { database, log } = foundations;
  const loop = startLoop({
    name: "expiry",
    intervalMs,
    log,
    async runOnce() {
      const { found, cancelled } = await database.transaction((transaction) =>
        expireOrders(transaction, foundations),
      );
      if (cancelled > 0) log.info({ orders: cancelled }, "orders expired");
      if (found === batchSize) loop.wake();
    },
  });
  return loop;
}

/** One run of {@link startExpiringOrders}; returns how many orders it found and cancelled. */
export async function expireOrders(
  transaction: Transaction,
  { outbox, hints, clock, newId }: Means,
): Promise<{ readonly found: number; readonly cancelled: number }> {
  const rows = await transaction.query<{ id: string; user_id: string }>(
    // Locks both, but waits for neither. What others have locked is left to the next run.
    `SELECT orders.id, orders.user_id FROM orders JOIN user_revisions USING (user_id)
     WHERE orders.status = ${OrderStatus.PENDING_PAYMENT}
       AND orders.expire_time < least(now(), to_timestamp($2 / 1000.0))
     ORDER BY orders.expire_time LIMIT $1
     FOR NO KEY UPDATE OF user_revisions, orders SKIP LOCKED`,
    [batchSize, clock.earliestMs()],
  );
  if (rows.length === 0) return { found: 0, cancelled: 0 };
  const cancellations = rows.map((row) => ({
    orderId: row.id,
    userId: row.user_id,
    eventId: newId(),
  }));
  const now = new Date(clock.nowMs());
  const changed = await cancelPending(transaction, { outbox, hints }, cancellations, now);
  return { found: rows.length, cancelled: changed.filter((change) => change?.moved).length };
}
