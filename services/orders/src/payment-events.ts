import type { Message, MessageHandler } from "@settle/chassis/consumer";
import type { Transaction } from "@settle/chassis/database";
import { transactionConflict } from "@settle/chassis/database-failure";
import type { PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import type { Logger } from "pino";

type Result = Message<typeof PaymentResultEventSchema>;

/**
 * Moves the orders to what payments decided. Only an order in PENDING_PAYMENT moves; a result for
 * one that has left it is dropped. A result whose order is not stored yet came too early.
 */
export function settleOrders(log: Logger): MessageHandler<typeof PaymentResultEventSchema> {
  return async (transaction, messages) => {
    const first = new Map<string, Result>();
    for (const message of messages) {
      if (!first.has(message.event.orderId)) first.set(message.event.orderId, message);
    }
    const moved = await moveOrders(transaction, [...first.values()]);
    const unmoved = messages.filter(({ event }) => !moved.has(event.orderId));
    const known = await findOrders(transaction, unmoved);
    for (const { id, event } of unmoved) {
      const status = known.get(event.orderId);
      if (status === undefined) continue;
      if (status === OrderStatus.PENDING_PAYMENT) {
        throw transactionConflict(`order ${event.orderId} was stored while we looked`);
      }
      log.warn({ messageId: id, orderId: event.orderId }, "a settled order got another result");
    }
    return {
      tooEarly: unmoved.filter(({ event }) => !known.has(event.orderId)).map(({ id }) => id),
    };
  };
}

async function moveOrders(
  transaction: Transaction,
  results: readonly Result[],
): Promise<ReadonlySet<string>> {
  // Joined to the orders first, the results would meet the users' revisions row by row, each with
  // each; hence MATERIALIZED.
  const rows = await transaction.query<{ id: string }>(
    `WITH result AS (
       SELECT *,
         row_number() OVER (PARTITION BY user_id ORDER BY place) AS nth,
         count(*) OVER (PARTITION BY user_id) AS of_user
       FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::smallint[]) WITH ORDINALITY
         AS message (order_id, user_id, status, decline_reason, place)
     ), counted AS (
       INSERT INTO user_revisions AS present (user_id, revision)
       SELECT user_id, count(*) FROM result GROUP BY user_id ORDER BY user_id
       ON CONFLICT (user_id) DO UPDATE SET revision = present.revision + EXCLUDED.revision
       RETURNING user_id, revision
     ), move AS MATERIALIZED (
       SELECT order_id, user_id, status, decline_reason,
         counted.revision - of_user + nth AS revision
       FROM result JOIN counted USING (user_id)
     )
     UPDATE orders SET
       status = move.status,
       decline_reason = move.decline_reason,
       revision = move.revision,
       settle_time = greatest(create_time, clock_timestamp()),
       update_time = greatest(create_time, clock_timestamp())
     FROM move
     WHERE orders.id = move.order_id AND orders.user_id = move.user_id
       AND orders.status = ${OrderStatus.PENDING_PAYMENT}
     RETURNING orders.id`,
    [
      results.map(({ event }) => event.orderId),
      results.map(({ event }) => event.userId),
      results.map(({ event }) =>
        event.outcome === PaymentOutcome.PAID ? OrderStatus.PAID : OrderStatus.PAYMENT_DECLINED,
      ),
      results.map(({ event }) => event.declineReason),
    ],
  );
  return new Set(rows.map((row) => row.id));
}

async function findOrders(
  transaction: Transaction,
  results: readonly Result[],
): Promise<ReadonlyMap<string, OrderStatus>> {
  if (results.length === 0) return new Map();
  const rows = await transaction.query<{ id: string; status: OrderStatus }>(
    `SELECT id, status FROM orders JOIN unnest($1::uuid[], $2::text[]) AS message (id, user_id)
     USING (id, user_id)`,
    [results.map(({ event }) => event.orderId), results.map(({ event }) => event.userId)],
  );
  return new Map(rows.map((row) => [row.id, row.status]));
}
