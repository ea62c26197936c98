import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Clock } from "@settle/chassis/base/clock";
import { steadyLogOf } from "@settle/chassis/base/steady-log";
import { createUserCounts } from "@settle/chassis/base/user-counts";
import { refuse } from "@settle/chassis/contract/errors";
import type { Database } from "@settle/chassis/database/database";
import type { HintListener, Hints } from "@settle/chassis/events/hints";
import { createBatcher } from "@settle/chassis/writes/batcher";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { type Order, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { WatchOrdersResponseSchema } from "@settle/gen/orders/v1/orders_service_pb";
import type { Logger } from "pino";
import { orderMessage, type StoredOrder } from "./order.entity.ts";
import type { OrderLimits } from "./order-limits.ts";
import { openWatches } from "./order-metrics.ts";
import { type OrderRow, orderColumns, orderOf } from "./order-rows.ts";

const heartbeatMs = 15_000;
const maxOrdersPerRead = 100;
const maxBatchSize = 64;
// Each of them may find as many orders as one read returns.
const maxCatchUpsPerBatch = 2;
const maxReadsWaiting = 10_000;

type WatchAnswer = MessageInitShape<typeof WatchOrdersResponseSchema>;
/** A read position: selects the user's orders whose revision is above this one. */
type Cursor = { readonly userId: string; readonly revision: bigint };
type OrderKey = { readonly userId: string; readonly orderId: string };

export type OrderWatch = AsyncDisposable & {
  /**
   * Yields the messages of a watch until `signal` aborts. Refuses with TOO_MANY_STREAMS if the user,
   * or this replica, already serves as many streams as it may.
   */
  watch(userId: string, afterRevision: bigint, signal: AbortSignal): AsyncIterable<WatchAnswer>;
  /** Whether another call of the user may wait on this replica. */
  mayWait(userId: string): boolean;
  /** Listens for changes to the user's orders, and counts as a waiting call until disposed. */
  listen(userId: string): HintListener;
  /**
   * Waits at most `waitMs` until the order has left PENDING_PAYMENT, and resolves with the order as
   * it is then, as far as it can be read. `order` is its last known state; `listener` has received
   * all hints since that state.
   */
  settled(
    order: Order,
    options: {
      readonly listener: HintListener;
      readonly waitMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<Order>;
  /**
   * Reads the order as it is now. Resolves with `order` if it cannot be read: the caller has had its
   * effect and must not take this for a failure. Rejects with the signal's reason if it aborts.
   */
  latest(order: Order, signal: AbortSignal): Promise<Order>;
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
  readonly log: Logger;
  readonly limits: Omit<OrderLimits, "pendingPerUser">;
}): OrderWatch {
  const { database, hints, clock, log, limits } = options;
  const batches = {
    maxBatchSize,
    maxWaiting: maxReadsWaiting,
    isShared: () => true,
    userOf: ({ userId }: { readonly userId: string }) => userId,
  };
  const reading = { ...batches, run: (all: readonly Cursor[]) => readChanges(database, all) };
  const changes = createBatcher(reading);
  // What a watch has missed is read apart from what is new, which is little and in a hurry.
  const catchUps = createBatcher({ ...reading, maxBatchSize: maxCatchUpsPerBatch });
  const present = createBatcher({
    ...batches,
    run: (keys: readonly OrderKey[]) => readOrders(database, keys),
  });
  const streams = createUserCounts();
  const waits = createUserCounts();

  const enter = (userId: string): Disposable => {
    const isUserFull = streams.of(userId) >= limits.watchesPerUser;
    if (isUserFull || streams.total >= limits.watches) {
      throw refuse(
        Code.ResourceExhausted,
        ErrorReason.TOO_MANY_STREAMS,
        isUserFull
          ? `a user may have at most ${limits.watchesPerUser} open streams; close one first`
          : "the service has reached its limit of open streams; try again later",
      );
    }
    const place = streams.add(userId);
    openWatches.set(streams.total);
    return {
      [Symbol.dispose]() {
        place[Symbol.dispose]();
        openWatches.set(streams.total);
      },
    };
  };
  const latest: OrderWatch["latest"] = async (order, signal) => {
    try {
      const stored = await present.submit({ userId: order.userId, orderId: order.id }, { signal });
      return stored ? orderMessage(stored) : order;
    } catch (error) {
      signal.throwIfAborted();
      steadyLogOf(log).warn({ err: error }, "an order could not be read again");
      return order;
    }
  };

  return {
    latest,
    mayWait: (userId) => waits.of(userId) < limits.waitsPerUser,
    listen(userId) {
      const listener = hints.listen(userId);
      const place = waits.add(userId);
      return {
        above: (...wanted) => listener.above(...wanted),
        [Symbol.dispose]() {
          place[Symbol.dispose]();
          listener[Symbol.dispose]();
        },
      };
    },
    async *watch(userId, afterRevision, signal) {
      using _place = enter(userId);
      using listener = hints.listen(userId);
      let revision = afterRevision;
      let heard: bigint | undefined;
      let hasMore = true;
      for (;;) {
        const cursor = { userId, revision };
        const orders: readonly StoredOrder[] = await (hasMore ? catchUps : changes).submit(cursor, {
          signal,
        });
        for (const order of orders) {
          revision = order.revision;
          yield { revision, event: { case: "order", value: orderMessage(order) } };
        }
        hasMore = orders.length === maxOrdersPerRead;
        if (hasMore) continue;
        if (heard === undefined) yield { revision, event: { case: "heartbeat", value: {} } };
        const known: bigint = heard !== undefined && heard > revision ? heard : revision;
        heard = await listener.above(known, heartbeatMs, signal);
      }
    },
    async settled(order, { listener, waitMs, signal }) {
      const endMs = clock.monotonicMs() + waitMs;
      let present = order;
      let known = order.revision;
      while (present.status === OrderStatus.PENDING_PAYMENT) {
        const leftMs = endMs - clock.monotonicMs();
        const heard = leftMs > 0 ? await listener.above(known, leftMs, signal) : undefined;
        present = await latest(present, signal);
        if (heard === undefined) break;
        known = heard;
      }
      return present;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [changes, catchUps, present].map((batcher) => batcher[Symbol.asyncDispose]()),
      );
    },
  };
}

/** Reads the orders above each cursor, in revision order, at most {@link maxOrdersPerRead} each. */
async function readChanges(
  database: Database,
  cursors: readonly Cursor[],
): Promise<readonly (readonly StoredOrder[])[]> {
  const rows = await database.read<OrderRow & { place: string }>(
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
  const rows = await database.read<OrderRow>(
    `SELECT ${orderColumns} FROM orders WHERE id = ANY($1::uuid[])`,
    [keys.map(({ orderId }) => orderId)],
  );
  const found = new Map(rows.map((row) => [row.id, orderOf(row)]));
  return keys.map(({ orderId, userId }) => {
    const order = found.get(orderId);
    return order?.userId === userId ? order : undefined;
  });
}
