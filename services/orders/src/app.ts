import { createBroker } from "@settle/chassis/broker";
import type { Clock } from "@settle/chassis/clock";
import { createConsumer } from "@settle/chassis/consumer";
import { readDescriptors } from "@settle/chassis/descriptors";
import type { Faults } from "@settle/chassis/faults";
import { createHealth } from "@settle/chassis/health";
import { expireKeys } from "@settle/chassis/idempotency";
import { keepInboxPartitions, maintainInbox } from "@settle/chassis/inbox";
import type { Logger } from "@settle/chassis/log";
import { createOutbox } from "@settle/chassis/outbox";
import { createRpcServer } from "@settle/chassis/rpc-server";
import { topologyOf } from "@settle/chassis/topology";
import { PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import type { OrdersConfig } from "./config.ts";
import { createOrdersDatabase } from "./database.ts";
import { createOrdersRpc } from "./orders-rpc.ts";
import { settleOrders } from "./payment-events.ts";

/** A running service and where it listens. */
export type OrdersApp = AsyncDisposable & { readonly port: number };

/**
 * Puts the service together and starts it: migrates the database, takes calls, handles messages and
 * announces events until it is disposed. Resolves once it answers; the broker may be away.
 */
export async function startOrders(
  config: OrdersConfig,
  options: {
    readonly clock: Clock;
    readonly newId: () => string;
    readonly log: Logger;
    readonly faults: Faults;
  },
): Promise<OrdersApp> {
  const { clock, newId, log, faults } = options;
  const topology = topologyOf("orders");
  await using starting = new AsyncDisposableStack();

  const database = starting.use(
    createOrdersDatabase({ url: config.databaseUrl, clock, log, faults }),
  );
  await database.migrate();
  await maintainInbox(database);
  starting.use(keepInboxPartitions({ database, log }));
  starting.use(expireKeys({ database, log }));

  const broker = starting.use(createBroker({ url: config.amqpUrl, name: "orders", log }));
  const outbox = starting.use(
    createOutbox({
      database,
      publisher: broker.publisher,
      exchange: topology.events,
      maxDepth: config.maxOutboxDepth,
      clock,
      log,
      faults,
    }),
  );
  const rpc = starting.use(createOrdersRpc({ database, outbox, clock, newId }));
  const consumer = starting.use(
    createConsumer({
      service: "orders",
      schemas: [PaymentResultEventSchema],
      handle: settleOrders(log),
      broker,
      database,
      clock,
      newId,
      log,
      faults,
    }),
  );
  const health = createHealth();
  const server = starting.use(
    createRpcServer({
      services: [{ service: OrdersService, implementation: rpc.implementation }],
      host: config.host,
      port: config.port,
      domain: "orders.settle",
      health,
      limits: { drainMs: config.drainMs },
      descriptors: config.reflection ? await readDescriptors() : undefined,
      clock,
      log,
      newId,
    }),
  );
  const address = await server.listen();
  health.setServing(true);
  log.info(address, "orders answers");
  const running = starting.move();
  // Calls and messages end side by side: one after the other would take longer than a stop may.
  running.defer(async () => {
    await Promise.all([server[Symbol.asyncDispose](), consumer[Symbol.asyncDispose]()]);
  });
  return { port: address.port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
