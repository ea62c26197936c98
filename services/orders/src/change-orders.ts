import type { Transaction } from "@settle/chassis/database/database";
import { transactionConflict } from "@settle/chassis/database/database-failure";
import type { Hints } from "@settle/chassis/events/hints";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { decideOrder, type OrderFact } from "./decide-order.ts";
import type { StoredOrder } from "./order.entity.ts";
import { countMove } from "./order-metrics.ts";
import { type OrderRow, orderColumns, orderOf } from "./order-rows.ts";

/** Which order of which user, and what has happened to it. */
export type OrderChange = {
  readonly orderId: string;
  readonly userId: string;
  readonly fact: OrderFact;
};

/** The result of a change: the order after it, and whether the change had an effect. */
export type ChangedOrder = { readonly order: StoredOrder; readonly moved: boolean };

/**
 * Decides the changes, in this order, over orders whose users are locked for the transaction.
 * Stores the changed orders with the users' next revisions, and sends hints after the commit.
 * Returns for each change the order as the whole batch leaves it; undefined where this user has no
 * such order. Takes two statements, however many changes there are; one if nothing changes.
 */
export async function changeOrders(
  transaction: Transaction,
  hints: Pick<Hints, "tell">,
  changes: readonly OrderChange[],
  changeTime: Date,
): Promise<readonly (ChangedOrder | undefined)[]> {
  const found = await lockOrders(transaction, changes);
  const now = new Map(Array.from(found, ([key, { order }]) => [key, order]));
  const moves = changes.map((change) => {
    const key = keyOf(change);
    const order = now.get(key);
    const moved = order && decideOrder(order, change.fact);
    if (moved) now.set(key, moved);
    return moved !== undefined;
  });

  const revisions = new Map(Array.from(found.values(), (row) => [row.order.userId, row.revision]));
  const written: Written[] = [];
  for (const [key, { order: before }] of found) {
    const order = now.get(key);
    if (!order || order === before) continue;
    const revision = (revisions.get(order.userId) ?? 0n) + 1n;
    revisions.set(order.userId, revision);
    // This clock may be behind the one that stored the order. Never settle before the creation.
    const time = changeTime > order.createTime ? changeTime : order.createTime;
    const isSettled = before.settleTime === null && order.status !== OrderStatus.PENDING_PAYMENT;
    const after = {
      ...order,
      revision,
      updateTime: time,
      settleTime: isSettled ? time : order.settleTime,
    };
    now.set(key, after);
    written.push({ before, after });
  }
  await writeOrders(transaction, written);
  transaction.afterCommit(() => {
    for (const change of written) countMove(change);
    const told = new Map(written.map(({ after }) => [after.userId, after.revision]));
    hints.tell(Array.from(told, ([key, revision]) => ({ key, revision })));
  });
  return changes.map((change, index) => {
    const order = now.get(keyOf(change));
    return order && { order, moved: moves[index] ?? false };
  });
}

type Written = { readonly before: StoredOrder; readonly after: StoredOrder };
type FoundOrder = { readonly order: StoredOrder; readonly revision: bigint };

function keyOf({ orderId, userId }: Pick<OrderChange, "orderId" | "userId">): string {
  return `${orderId} ${userId}`;
}

/**
 * Locks the revisions of the users, in the order of the user ids, and reads the orders. Every
 * change to an order is made under its user's lock, so an order read here does not change. An order
 * that was read while waiting for the lock may be stale; the guard of the write detects that.
 */
async function lockOrders(
  transaction: Transaction,
  changes: readonly OrderChange[],
): Promise<ReadonlyMap<string, FoundOrder>> {
  const rows = await transaction.query<OrderRow & { user_revision: string }>(
    `WITH locked AS MATERIALIZED (
       SELECT user_id, revision AS user_revision FROM user_revisions
       WHERE user_id = ANY($2::text[]) ORDER BY user_id FOR NO KEY UPDATE
     )
     SELECT ${orderColumns}, locked.user_revision
     FROM locked JOIN orders ON orders.user_id = locked.user_id
     WHERE orders.id = ANY($1::uuid[])`,
    [
      [...new Set(changes.map(({ orderId }) => orderId))],
      [...new Set(changes.map(({ userId }) => userId))],
    ],
  );
  return new Map(
    rows.map((row) => {
      const found = { order: orderOf(row), revision: BigInt(row.user_revision) };
      return [keyOf({ orderId: row.id, userId: row.user_id }), found];
    }),
  );
}

async function writeOrders(transaction: Transaction, written: readonly Written[]): Promise<void> {
  if (written.length === 0) return;
  const last = new Map(written.map(({ after }) => [after.userId, after.revision]));
  const rows = await transaction.query(
    `WITH counted AS (
       UPDATE user_revisions SET revision = change.revision
       FROM unnest($1::text[], $2::bigint[]) AS change (user_id, revision)
       WHERE user_revisions.user_id = change.user_id
     )
     UPDATE orders SET
       status = change.status,
       decline_reason = change.decline_reason,
       refunded_minor = change.refunded_minor,
       revision = change.revision,
       settle_time = change.settle_time,
       update_time = change.update_time
     FROM unnest($3::uuid[], $4::bigint[], $5::smallint[], $6::smallint[], $7::bigint[],
                 $8::bigint[], $9::timestamptz[], $10::timestamptz[])
       AS change (id, old_revision, status, decline_reason, refunded_minor, revision, settle_time,
                  update_time)
     WHERE orders.id = change.id AND orders.revision = change.old_revision
     RETURNING 1`,
    [
      [...last.keys()],
      [...last.values()],
      written.map(({ after }) => after.id),
      written.map(({ before }) => before.revision),
      written.map(({ after }) => after.status),
      written.map(({ after }) => after.declineReason),
      written.map(({ after }) => after.refundedMinor),
      written.map(({ after }) => after.revision),
      written.map(({ after }) => after.settleTime),
      written.map(({ after }) => after.updateTime),
    ],
  );
  if (rows.length < written.length) {
    throw transactionConflict("an order changed while waiting for its user's lock");
  }
}
