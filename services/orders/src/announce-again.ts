import { type Loop, startLoop } from "@settle/chassis/base/loop";
import type { Transaction } from "@settle/chassis/database/database";
import type { Outbox, OutboxEvent } from "@settle/chassis/events/outbox";
import type { Foundations } from "@settle/chassis/service";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { orderCancelledEvent } from "./order-cancelled-event.ts";
import { orderCreatedEvent } from "./order-created-event.ts";
import { announcedAgain } from "./order-metrics.ts";

/** Orders of each kind per run. */
const batchSize = 500;
const longestIntervalMs = 60_000;
/** An order that is said to wait since later than this was stored while a clock was wrong. */
const maxAheadMs = 60_000;

/** Orders whose event payments may have missed; since when, and when they were last announced. */
const unheard = {
  created: {
    condition: `status = ${OrderStatus.PENDING_PAYMENT}`,
    from: "create_time",
    since: "coalesce(announce_time, create_time)",
  },
  cancelled: {
    condition: `status = ${OrderStatus.CANCELLED} AND NOT nothing_taken
       AND refunded_minor < amount_minor`,
    from: "settle_time",
    since: "greatest(announce_time, settle_time)",
  },
} as const;

/** How many orders were announced again. */
export type AnnouncedAgain = { readonly created: number; readonly cancelled: number };

/**
 * Publishes events again, under new event ids, in case they were lost with a broker's disk: those
 * of orders whose payment is still pending, and those of cancellations that payments has not
 * answered. An order is announced again once `afterMs`, and half of the time it has waited, have
 * passed since the last announcement; or if it seems to wait since the future. Payments answers
 * each event by publishing the state of the payment, so whichever event was lost, the order settles
 * and a cancelled order is refunded. An order that waits for a day because payments is down is
 * announced again eight times, not a hundred. Each run takes a limited number, the oldest first,
 * and none while the outbox is full; replicas share the work.
 */
export function startAnnouncingAgain(
  { database, outbox, newId, log }: Foundations,
  afterMs: number,
): Loop {
  for (const kind of ["created", "cancelled"]) announcedAgain.inc({ kind }, 0);
  const loop = startLoop({
    name: "repair",
    intervalMs: Math.min(longestIntervalMs, afterMs),
    log,
    async runOnce() {
      if (outbox.full) return;
      const announced = await database.transaction((transaction) =>
        announceAgain(transaction, outbox, { afterMs, newId }),
      );
      const { created, cancelled } = announced;
      announcedAgain.inc({ kind: "created" }, created);
      announcedAgain.inc({ kind: "cancelled" }, cancelled);
      if (created + cancelled > 0) log.warn({ created, cancelled }, "orders were announced again");
      // Cancellations can wait for the next run. After an update, they may be all there ever were.
      if (created >= batchSize) loop.wake();
    },
  });
  return loop;
}

/** One run of {@link startAnnouncingAgain}. */
export async function announceAgain(
  transaction: Transaction,
  outbox: Outbox,
  { afterMs, newId }: { readonly afterMs: number; readonly newId: () => string },
): Promise<AnnouncedAgain> {
  const created = await takeUnheard(transaction, "created", afterMs);
  const cancelled = await takeUnheard(transaction, "cancelled", afterMs);
  const events: OutboxEvent[] = [
    ...created.map((order) => orderCreatedEvent({ ...order, eventId: newId() })),
    ...cancelled.map((order) => orderCancelledEvent({ ...order, eventId: newId() })),
  ];
  if (events.length > 0) await outbox.write(transaction, events);
  return { created: created.length, cancelled: cancelled.length };
}

/** Records that payments takes nothing for these cancelled orders. */
export async function noteNothingTaken(
  transaction: Transaction,
  orderIds: readonly string[],
): Promise<void> {
  if (orderIds.length === 0) return;
  await transaction.query(
    `UPDATE orders SET nothing_taken = true
     WHERE id = ANY($1::uuid[]) AND ${unheard.cancelled.condition}`,
    [orderIds],
  );
}

async function takeUnheard(transaction: Transaction, kind: keyof typeof unheard, afterMs: number) {
  const { condition, from, since } = unheard[kind];
  const rows = await transaction.query<{
    id: string;
    user_id: string;
    amount_minor: string;
    currency: string;
    created_ms: string;
    settled_ms: string | null;
  }>(
    `UPDATE orders SET announce_time = now()
     WHERE id = ANY(ARRAY(
       SELECT id FROM orders
       WHERE ${condition} AND ${since} < now() - $1 * interval '1 millisecond'
         AND ${since} <= now() - (now() - ${from}) / 2
       ORDER BY ${since} LIMIT $2 FOR UPDATE SKIP LOCKED
     ) || ARRAY(
       SELECT id FROM orders
       WHERE ${condition} AND ${since} > now() + $3 * interval '1 millisecond'
       LIMIT $2 FOR UPDATE SKIP LOCKED
     ))
     RETURNING id, user_id, amount_minor, currency,
       (extract(epoch FROM create_time) * 1000)::bigint AS created_ms,
       (extract(epoch FROM settle_time) * 1000)::bigint AS settled_ms`,
    [afterMs, batchSize, maxAheadMs],
  );
  return rows.map((row) => ({
    orderId: row.id,
    userId: row.user_id,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    createTime: new Date(Number(row.created_ms)),
    cancelTime: new Date(Number(row.settled_ms)),
  }));
}
