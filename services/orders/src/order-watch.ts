import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Clock } from "@settle/chassis/base/clock";
import { refuse } from "@settle/chassis/contract/errors";
import type { Database } from "@settle/chassis/database/database";
import type { HintListener, Hints } from "@settle/chassis/events/hints";
import { createBatcher } from "@settle/chassis/writes/batcher";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { type Order, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { WatchOrdersResponseSchema } from "@settle/gen/orders/v1/orders_service_pb";
import { orderMessage, type StoredOrder } from "./order.entity.ts";
import { type OrderRow, orderColumns, orderOf } from "./order-rows.ts";

const heartbeatMs = 15_000;
const maxStreams = 500;
const maxStreamsPerUser = 10;
const maxOrdersPerRead = 100;
const maxBatchSize = 64;
const maxReadsWaiting = 10_000;

type WatchAnswer = MessageInitShape<typeof WatchOrdersResponseSchema>;
/** A read position: selects the user's orders whose revision is above this one. */
type Cursor = { readonly userId: string; readonly revision: bigint };
type OrderKey = { readonly userId: string; readonly orderId: string };

export type OrderWatch = AsyncDisposable & {
  /**
   * Yields the messages of a watch until `signal` aborts. Refuses with TOO_MANY_STREAMS if the user
   * already has 10 streams on this replica, or the replica already serves 500.
   */
  watch(userId: string, afterRevision: bigint, signal: AbortSignal): AsyncIterable<WatchAnswer>;
  /**
   * Waits at most `waitMs` until the order has left PENDING_PAYMENT, and resolves with the order as
   * it is then. `order` is its last known state; `listener` has received all hints since that
   * state.
   */
  settled(
    order: Order,
    options: {
      readonly listener: HintListener;
      readonly waitMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<Order>;
  /** Reads the order as it is now. */
  read(order: OrderKey): Promise<Order | undefined>;
};

/**
 * Serves watches and calls that wait for an order. A hint wakes them, and they read the changes;
 * all that are woken together share one statement. A watch also reads at each heartbeat, so a lost
 * hint delays a change but never loses it.
 */
export function createOrderWatch(options: {
  readonly database: Database;
  readonly hints: Hints;
  readonly clock: Clock;
}): OrderWatch {
  const { database, hints, clock } = options;
  const limits = { maxBatchSize, maxWaiting: maxReadsWaiting, isShared: () => true };
  const changes = createBatcher({
    ...limits,
    run: (cursors: readonly Cursor[]) => readChanges(database, cursors),
  });
  const present = createBatcher({
    ...limits,
    run: (keys: readonly OrderKey[]) => readOrders(database, keys),
  });
  const streams = new Map<string, number>();
  let streamCount = 0;

  const enter = (userId: string): Disposable => {
    const own = streams.get(userId) ?? 0;
    if (own >= maxStreamsPerUser || streamCount >= maxStreams) {
      throw refuse(
        Code.ResourceExhausted,
        ErrorReason.TOO_MANY_STREAMS,
        own >= maxStreamsPerUser
          ? `a user may have at most ${maxStreamsPerUser} open streams; close one first`
          : "the service has reached its limit of open streams; try again later",
      );
    }
    streams.set(userId, own + 1);
    streamCount += 1;
    return {
      [Symbol.dispose]() {
        const left = (streams.get(userId) ?? 1) - 1;
        if (left > 0) streams.set(userId, left);
        else streams.delete(userId);
        streamCount -= 1;
      },
    };
  };
  const read: OrderWatch["read"] = async (key) => {
    const order = await present.submit(key);
    return order && orderMessage(order);
  };

  return {
    read,
    async *watch(userId, afterRevision, signal) {
      using _place = enter(userId);
      using listener = hints.listen(userId);
      let revision = afterRevision;
      let heard: bigint | undefined;
      for (;;) {
        const orders = await changes.submit({ userId, revision }, { signal });
        for (const order of orders) {
          revision = order.revision;
          yield { revision, event: { case: "order", value: orderMessage(order) } };
        }
        if (orders.length === maxOrdersPerRead) continue;
        if (heard === undefined) yield { revision, event: { case: "heartbeat", value: {} } };
        const known: bigint = heard !== undefined && heard > revision ? heard : revision;
        heard = await listener.above(known, heartbeatMs, signal);
      }
    },
    async settled(order, { listener, waitMs, signal }) {
      const endMs = clock.monotonicMs() + waitMs;
      const key = { userId: order.userId, orderId: order.id };
      let present = order;
      let known = order.revision;
      while (present.status === OrderStatus.PENDING_PAYMENT) {
        const leftMs = endMs - clock.monotonicMs();
        const heard = leftMs > 0 ? await listener.above(known, leftMs, signal) : undefined;
        present = (await read(key)) ?? present;
        if (heard === undefined) break;
        known = heard;
      }
      return present;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([changes[Symbol.asyncDispose](), present[Symbol.asyncDispose]()]);
    },
  };
}

/** Reads the orders above each cursor, in revision order, at most {@link maxOrdersPerRead} each. */
async function readChanges(
  database: Database,
  cursors: readonly Cursor[],
): Promise<readonly (readonly StoredOrder[])[]> {
  const rows = await database.query<OrderRow & { place: string }>(
    `SELECT place, changed.*
     FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS above (user_id, revision, place)
     CROSS JOIN LATERAL (
       SELECT ${orderColumns} FROM orders
       WHERE orders.user_id = above.user_id AND orders.revision > above.revision
       ORDER BY orders.revision LIMIT ${maxOrdersPerRead}
     ) AS changed
     ORDER BY place, changed.revision`,
    [cursors.map(({ userId }) => userId), cursors.map(({ revision }) => revision)],
  );
  const found = Map.groupBy(rows, ({ place }) => Number(place));
  return cursors.map((_, index) => (found.get(index + 1) ?? []).map(orderOf));
}

async function readOrders(
  database: Database,
  keys: readonly OrderKey[],
): Promise<readonly (StoredOrder | undefined)[]> {
  const rows = await database.query<OrderRow>(
    `SELECT ${orderColumns} FROM orders WHERE id = ANY($1::uuid[])`,
    [keys.map(({ orderId }) => orderId)],
  );
  const found = new Map(rows.map((row) => [row.id, orderOf(row)]));
  return keys.map(({ orderId, userId }) => {
    const order = found.get(orderId);
    return order?.userId === userId ? order : undefined;
  });
}
