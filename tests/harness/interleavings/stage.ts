import { create } from "@bufbuild/protobuf";
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { noFaults } from "@settle/chassis/base/faults";
import type { Database } from "@settle/chassis/database/database";
import { maintainInbox } from "@settle/chassis/events/inbox";
import type { Foundations } from "@settle/chassis/service";
import { createTestDatabase, testClock, testLog } from "@settle/chassis/testing";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { createOrdersDatabase } from "@settle/orders/database";
import { createOrdersRpc } from "@settle/orders/orders-rpc";
import { settleOrders } from "@settle/orders/payment-events";
import { createPaymentsDatabase } from "@settle/payments/database";
import { handleOrderEvents } from "@settle/payments/order-events";
import { createPaymentsRpc } from "@settle/payments/payments-rpc";
import { Pool, types } from "pg";
import { contextOf } from "../../../services/orders/test/orders-setup.ts";
import type { Caller } from "../calls/call.ts";
import { connectErrorRefusal } from "../calls/refusals.ts";
import { defaultCurrency } from "../checker/history.ts";
import type { Event } from "../system/queues.ts";
import type { ServiceName } from "../system/system.ts";
import { type Settled, type StagedReplica, startStagedReplica } from "./staged-replica.ts";

/** Each service has two replicas. */
export type ReplicaNumber = 0 | 1;

/** Both services in this process, with their own databases; the test is the broker. */
export type Stage = AsyncDisposable & {
  /** Direct access to a service's database; bigint columns are bigint. */
  readonly databases: Readonly<Record<ServiceName, Pool>>;
  /** Returns the foundations of a replica of orders. */
  ordersOn(replica: ReplicaNumber): Foundations;
  /**
   * Calls a replica as `userId` with an idempotency key. Rejects with errors that are not refusals.
   */
  callerOn(replica: ReplicaNumber, call: { readonly userId: string; readonly key: string }): Caller;
  /** Delivers the events to a replica at once, and resolves once each is settled. */
  deliver(
    service: ServiceName,
    events: readonly Event[],
    how: { readonly replica: ReplicaNumber; readonly redelivered: boolean },
  ): Promise<Settled>;
  /** Takes the events out of a service's outbox, oldest first, as its relay does. */
  takeEvents(service: ServiceName): Promise<readonly Event[]>;
  /**
   * Runs `first` on replica 0 and holds it there, see {@link StagedReplica.holdNext}. Runs the
   * `others` on replica 1 until they are done or wait for a lock, and then lets all of them finish.
   * Returns whether they waited.
   */
  overlap(
    service: ServiceName,
    first: () => Promise<void>,
    heldAfter: number,
    others: () => Promise<void>,
  ): Promise<boolean>;
  /** Returns the number of deadlocks; those of the last second may be missing. */
  countDeadlocks(): Promise<bigint>;
};

/** Opens the stage. Disposing drops the databases. */
export async function openStage(): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const openDatabase = async (service: ServiceName) =>
    opening.use(await createTestDatabase(service)).url;
  const urls = { orders: await openDatabase("orders"), payments: await openDatabase("payments") };
  // The held transaction of an overlap must not be mistaken for a lock that stays.
  const limits = { lockTimeoutMs: 2_000 };
  const surroundings = { clock: testClock, log: testLog, faults: noFaults, limits };
  const ready = async (database: Database) => {
    opening.use(database);
    await database.migrate();
    await maintainInbox(database, testClock);
    return database;
  };
  const startOrders = async () =>
    opening.use(
      startStagedReplica({
        service: "orders",
        database: await ready(createOrdersDatabase({ url: urls.orders, ...surroundings })),
        createRpc: createOrdersRpc,
        publishes: [OrderCreatedEventSchema, OrderCancelledEventSchema],
        schemas: [PaymentResultEventSchema, PaymentRefundedEventSchema],
        createHandler: settleOrders,
        userOf: ({ userId }) => userId,
        usersTable: "user_revisions",
      }),
    );
  const startPayments = async () =>
    opening.use(
      startStagedReplica({
        service: "payments",
        database: await ready(createPaymentsDatabase({ url: urls.payments, ...surroundings })),
        createRpc: (foundations) => createPaymentsRpc({ ...foundations, defaultCurrency }),
        publishes: [PaymentResultEventSchema, PaymentRefundedEventSchema],
        schemas: [OrderCreatedEventSchema, OrderCancelledEventSchema],
        createHandler: handleOrderEvents,
        userOf: ({ userId }) => userId,
        usersTable: "accounts",
      }),
    );
  const replicas = {
    orders: [await startOrders(), await startOrders()],
    payments: [await startPayments(), await startPayments()],
  } as const;
  const databases = {
    orders: opening.adopt(poolOf(urls.orders), (pool) => pool.end()),
    payments: opening.adopt(poolOf(urls.payments), (pool) => pool.end()),
  };
  const isBlocked = async (service: ServiceName) => {
    const { rows } = await databases[service].query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1`,
    );
    return rows.length > 0;
  };

  const running = opening.move();
  return {
    databases,
    ordersOn: (replica) => replicas.orders[replica].foundations,
    callerOn: (replica, { userId, key }) => {
      const implementations = {
        ...replicas.orders[replica].rpc.implementation,
        ...replicas.payments[replica].rpc.implementation,
      } as unknown as Record<string, (request: unknown, on: HandlerContext) => Promise<never>>;
      return async (method, request) => {
        const context = contextOf(method, userId, { headers: { "idempotency-key": key } });
        const call = implementations[method.localName];
        if (!call) throw new Error(`${method.name} has no implementation`);
        try {
          return { ok: true, message: await call(create(method.input, request), context) };
        } catch (error) {
          if (error instanceof ConnectError) return connectErrorRefusal(error);
          throw error;
        }
      };
    },
    deliver: (service, events, { replica, redelivered }) =>
      replicas[service][replica].deliver(events, redelivered),
    async takeEvents(service) {
      const { rows } = await databases[service].query<{ id: string; type: string; body: Buffer }>(
        `WITH taken AS (DELETE FROM outbox RETURNING id, type, payload)
         SELECT id, type, payload AS body FROM taken ORDER BY id`,
      );
      return rows.map(({ id, type, body }) => ({ messageId: id, type, body, headers: {} }));
    },
    async overlap(service, first, heldAfter, others) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      replicas[service][0].holdNext(() => {
        reached.resolve();
        return released.promise;
      }, heldAfter);
      try {
        const one = first();
        await Promise.race([reached.promise, one]);
        let isDone = false;
        const rest = others().finally(() => {
          isDone = true;
        });
        let waits = false;
        // The lock timeout ends this at the latest.
        while (!isDone && !waits) waits = await isBlocked(service);
        released.resolve();
        await Promise.all([one, rest]);
        return waits;
      } finally {
        released.resolve();
      }
    },
    async countDeadlocks() {
      const counts = Object.values(databases).map(async (database) => {
        const { rows } = await database.query<{ deadlocks: bigint }>(
          "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
        );
        return rows[0]?.deadlocks ?? 0n;
      });
      return (await Promise.all(counts)).reduce((sum, count) => sum + count);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function poolOf(connectionString: string): Pool {
  return new Pool({
    connectionString,
    types: {
      getTypeParser: (oid: number) =>
        oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid),
    },
  });
}
