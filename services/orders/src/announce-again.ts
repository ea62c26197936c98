import { type Loop, startLoop } from "@settle/chassis/base/loop";
import type { Transaction } from "@settle/chassis/database/database";
import type { Outbox, OutboxEvent } from "@settle/chassis/events/outbox";
import type { Foundations } from "@settle/chassis/service";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { orderCancelledEvent } from "./order-cancelled-event.ts";
import { orderCreatedEvent } from "./order-created-event.ts";

/** Of each kind, in one run. */
const batchSize = 500;
const longestIntervalMs = 60_000;

/** What payments may not have heard of: which orders those are, when they became so and were told. */
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
 * Announces again, under new event ids, the orders that still wait for their payment, and the
 * cancellations to which payments has not answered, once `afterMs` and half of that wait have passed
 * since the last time: for events that were lost with a broker's disk. Payments answers each by
 * publishing how the payment stands, so whichever event was lost, the order settles and the money of
 * a cancelled one goes back. An order that waits for a day because payments is away is told again
 * eight times, not a hundred. Each run takes a limited number, the oldest first, and none while
 * the outbox is full; replicas share them.
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
      if (outbox.full) return;
      const announced = await database.transaction((transaction) =>
        announceAgain(transaction, outbox, { afterMs, newId }),
      );
      const { created, cancelled } = announced;
      if (created + cancelled > 0) log.warn({ created, cancelled }, "orders were announced again");
      // Nobody waits for a cancelled one: after an update that may be all that there ever were.
      if (created === batchSize) loop.wake();
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

/** Notes that payments takes nothing for these orders, which are cancelled. */
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
     ))
     RETURNING id, user_id, amount_minor, currency,
       (extract(epoch FROM create_time) * 1000)::bigint AS created_ms,
       (extract(epoch FROM settle_time) * 1000)::bigint AS settled_ms`,
    [afterMs, batchSize],
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
