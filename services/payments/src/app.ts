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
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import type { PaymentsConfig } from "./config.ts";
import { createPaymentsDatabase } from "./database.ts";
import { payOrders } from "./order-events.ts";
import { createPaymentsRpc } from "./payments-rpc.ts";

/** A running service and where it listens. */
export type PaymentsApp = AsyncDisposable & { readonly port: number };

/**
 * Puts the service together and starts it: migrates the database, takes calls, handles messages and
 * announces events until it is disposed. Resolves once it answers; the broker may be away.
 */
export async function startPayments(
  config: PaymentsConfig,
  options: {
    readonly clock: Clock;
    readonly newId: () => string;
    readonly log: Logger;
    readonly faults: Faults;
  },
): Promise<PaymentsApp> {
  const { clock, newId, log, faults } = options;
  const topology = topologyOf("payments");
  await using starting = new AsyncDisposableStack();

  const database = starting.use(
    createPaymentsDatabase({ url: config.databaseUrl, clock, log, faults }),
  );
  await database.migrate();
  await maintainInbox(database);
  starting.use(keepInboxPartitions({ database, log }));
  starting.use(expireKeys({ database, log }));

  const broker = starting.use(createBroker({ url: config.amqpUrl, name: "payments", log }));
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
  const rpc = starting.use(
    createPaymentsRpc({ database, defaultCurrency: config.defaultCurrency, clock, newId }),
  );
  const consumer = starting.use(
    createConsumer({
      service: "payments",
      schemas: [OrderCreatedEventSchema],
      handle: payOrders({ outbox, clock, newId }),
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
      services: [{ service: PaymentsService, implementation: rpc.implementation }],
      host: config.host,
      port: config.port,
      domain: "payments.settle",
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
  log.info(address, "payments answers");
  const running = starting.move();
  // Calls and messages end side by side: one after the other would take longer than a stop may.
  running.defer(async () => {
    await Promise.all([server[Symbol.asyncDispose](), consumer[Symbol.asyncDispose]()]);
  });
  return { port: address.port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
