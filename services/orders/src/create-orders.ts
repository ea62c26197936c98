import type { Transaction } from "@settle/chassis/database/database";
import type { Hints } from "@settle/chassis/events/hints";
import type { Outbox } from "@settle/chassis/events/outbox";
import { answerOnce, type Outcome } from "@settle/chassis/writes/answer-once";
import type { KeyedCall } from "@settle/chassis/writes/idempotency";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { type Order, OrderSchema, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { orderMessage, type StoredOrder } from "./order.entity.ts";
import { orderCreatedEvent } from "./order-created-event.ts";
import { nameOfStatus, orderMoves } from "./order-metrics.ts";

/** One call of CreateOrder, with the ids and times that are chosen before the transaction. */
export type OrderCreation = {
  readonly call: KeyedCall;
  readonly userId: string;
  /** Whether the user may place another order. A call that has taken effect is answered anyway. */
  readonly withinQuota: boolean;
  readonly orderId: string;
  readonly eventId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly description: string;
  readonly createTime: Date;
  /** When the order is cancelled if its payment is still pending; null for never. */
  readonly expireTime: Date | null;
};

/**
 * Stores the orders with their events and idempotency keys, all in `transaction`, and returns for
 * each call the order to answer with. A call whose idempotency key has already taken effect gets
 * the stored answer and stores nothing; a new one beyond its user's quota is refused. Sends hints
 * for the new orders after the commit. The number of statements does not depend on the number of
 * calls.
 */
export function createOrders(
  transaction: Transaction,
  { outbox, hints }: { readonly outbox: Outbox; readonly hints: Pick<Hints, "tell"> },
  creations: readonly OrderCreation[],
): Promise<readonly Outcome<Order>[]> {
  return answerOnce(transaction, OrderSchema, creations, async (fresh) => {
    const placed = fresh.filter(({ withinQuota }) => withinQuota);
    if (placed.length === 0) return fresh.map(() => ErrorReason.QUOTA_EXCEEDED);
    const orders = await insertOrders(transaction, placed);
    await outbox.write(transaction, placed.map(orderCreatedEvent));
    transaction.afterCommit(() => {
      orderMoves.inc({ from: "NEW", to: nameOfStatus(OrderStatus.PENDING_PAYMENT) }, orders.length);
      const told = new Map(orders.map(({ userId, revision }) => [userId, revision]));
      hints.tell(Array.from(told, ([key, revision]) => ({ key, revision })));
    });
    const byId = new Map(orders.map((order) => [order.id, order]));
    return fresh.map(({ orderId }) => byId.get(orderId) ?? ErrorReason.QUOTA_EXCEEDED);
  });
}

async function insertOrders(
  transaction: Transaction,
  creations: readonly OrderCreation[],
): Promise<readonly Order[]> {
  // Incrementing the revisions, in the order of the user ids, locks them until the commit, so that
  // revisions become visible in increasing order.
  const rows = await transaction.query<{ id: string; revision: string }>(
    `WITH new AS (
       SELECT *,
         row_number() OVER (PARTITION BY user_id ORDER BY place) AS nth,
         count(*) OVER (PARTITION BY user_id) AS of_user
       FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],
                   $7::timestamptz[])
         WITH ORDINALITY AS call (id, user_id, amount_minor, currency, description, create_time,
                                  expire_time, place)
     ), counted AS (
       INSERT INTO user_revisions AS present (user_id, revision)
       SELECT user_id, count(*) FROM new GROUP BY user_id ORDER BY user_id
       ON CONFLICT (user_id) DO UPDATE SET revision = present.revision + EXCLUDED.revision
       RETURNING user_id, revision
     )
     INSERT INTO orders (id, user_id, amount_minor, currency, description, status, revision,
                         create_time, expire_time, update_time)
     SELECT id, user_id, amount_minor, currency, description, ${OrderStatus.PENDING_PAYMENT},
            counted.revision - of_user + nth, create_time, expire_time, create_time
     FROM new JOIN counted USING (user_id)
     RETURNING id, revision`,
    [
      creations.map((creation) => creation.orderId),
      creations.map((creation) => creation.userId),
      creations.map((creation) => creation.amountMinor),
      creations.map((creation) => creation.currency),
      creations.map((creation) => creation.description),
      creations.map((creation) => creation.createTime),
      creations.map((creation) => creation.expireTime),
    ],
  );
  const revisions = new Map(rows.map((row) => [row.id, BigInt(row.revision)]));
  return creations.map((creation) => {
    const revision = revisions.get(creation.orderId);
    if (revision === undefined) throw new Error(`order ${creation.orderId} was not inserted`);
    return orderMessage(newOrder(creation, revision));
  });
}

function newOrder(creation: OrderCreation, revision: bigint): StoredOrder {
  return {
    id: creation.orderId,
    userId: creation.userId,
    amountMinor: creation.amountMinor,
    currency: creation.currency,
    description: creation.description,
    status: OrderStatus.PENDING_PAYMENT,
    declineReason: 0,
    refundedMinor: 0n,
    revision,
    createTime: creation.createTime,
    settleTime: null,
    expireTime: creation.expireTime,
    updateTime: creation.createTime,
  };
}
