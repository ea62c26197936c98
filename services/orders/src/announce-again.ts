import type { Transaction } from "@settle/chassis/database";
import { type Loop, startLoop } from "@settle/chassis/loop";
import type { Outbox } from "@settle/chassis/outbox";
import type { Foundations } from "@settle/chassis/service";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { orderCreatedEvent } from "./order-created-event.ts";

const batchSize = 500;
const longestIntervalMs = 60_000;

/**
 * Announces orders again, under new event ids, that still wait for their payment `afterMs` after
 * they were last announced: for events that were lost with a broker's disk. Payments answers for an
 * order it has decided by publishing its result again, so whichever of the two was lost, the order
 * settles. Each run takes a limited number, the oldest first; replicas share them.
 */
export function startAnnouncingAgain(
  { database, outbox, newId, log }: Foundations,
  afterMs: number,
): Loop {
  const loop = startLoop({
    name: "repair",
    intervalMs: Math.min(longestIntervalMs, afterMs),
    log,
    async runOnce() {
      const announced = await database.transaction((transaction) =>
        announceAgain(transaction, outbox, { afterMs, newId }),
      );
      if (announced > 0) log.warn({ orders: announced }, "orders were announced again");
      if (announced === batchSize) loop.wake();
    },
  });
  return loop;
}

/** One run of {@link startAnnouncingAgain}; returns how many orders it announced. */
export async function announceAgain(
  transaction: Transaction,
  outbox: Outbox,
  { afterMs, newId }: { readonly afterMs: number; readonly newId: () => string },
): Promise<number> {
  const rows = await transaction.query<{
    id: string;
    user_id: string;
    amount_minor: string;
    currency: string;
    created_ms: string;
  }>(
    `UPDATE orders SET announce_time = now()
     WHERE id = ANY(ARRAY(
       SELECT id FROM orders
       WHERE status = ${OrderStatus.PENDING_PAYMENT}
         AND coalesce(announce_time, create_time) < now() - $1 * interval '1 millisecond'
       ORDER BY coalesce(announce_time, create_time) LIMIT $2 FOR UPDATE SKIP LOCKED
     ))
     RETURNING id, user_id, amount_minor, currency,
       (extract(epoch FROM create_time) * 1000)::bigint AS created_ms`,
    [afterMs, batchSize],
  );
  if (rows.length === 0) return 0;
  const events = rows.map((row) =>
    orderCreatedEvent({
      eventId: newId(),
      orderId: row.id,
      userId: row.user_id,
      amountMinor: BigInt(row.amount_minor),
      currency: row.currency,
      createTime: new Date(Number(row.created_ms)),
    }),
  );
  await outbox.write(transaction, events);
  return rows.length;
}
