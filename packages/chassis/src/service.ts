import type { DescMessage, DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Logger } from "pino";
import { type CheckedClock, type Clock, createCheckedClock } from "./base/clock.ts";
import type { Faults } from "./base/faults.ts";
import type { Loop } from "./base/loop.ts";
import { createIdSource, type NewId } from "./base/new-id.ts";
import { createBroker } from "./broker/broker.ts";
import type { ServiceConfig } from "./config.ts";
import { readDescriptors } from "./contract/descriptors.ts";
import { assertRouted, publicationsOf } from "./contract/routes.ts";
import { topologyOf } from "./contract/topology.ts";
import type { Database, DatabaseLimits } from "./database/database.ts";
import { compareClocks } from "./database/database-clock.ts";
import { readDocsPages } from "./docs/docs-pages.ts";
import { createConsumer, type MessageHandler } from "./events/consumer.ts";
import { keepDeadLetters } from "./events/dead-letters.ts";
import { createHints, type Hints } from "./events/hints.ts";
import { keepInboxPartitions, maintainInbox } from "./events/inbox.ts";
import { createOutbox, type Outbox } from "./events/outbox.ts";
import { createTokenVerifier } from "./identity/token-verifier.ts";
import { brokerConnected, untakenBytes } from "./metrics/metrics.ts";
import { readAtScrape } from "./metrics/registry.ts";
import { createOpsRpc, type OpsHandlers } from "./ops/ops-rpc.ts";
import { createHealth } from "./rpc/health.ts";
import { serveMetrics } from "./rpc/metrics-server.ts";
import { createRpcServer, type RpcService } from "./rpc/rpc-server.ts";
import { createWriteQuota } from "./rpc/write-quota.ts";
import { expireKeys } from "./writes/idempotency.ts";

/** What a service gets from outside, so that a test can pass its own. */
export type Surroundings = {
  /** The clock of the machine; the service checks it against that of its database. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
};

/** The parts that the domain code of a service is built on. */
export type Foundations = Surroundings & {
  readonly clock: CheckedClock;
  /** Creates ids with the time of the checked clock. */
  readonly newId: NewId;
  readonly database: Database;
  readonly outbox: Outbox;
  readonly hints: Hints;
};

/** A running service and the port it listens on. */
export type RunningService = AsyncDisposable & { readonly port: number };

/**
 * Assembles a service and starts it: migrates the database, serves calls, handles messages and
 * publishes events until it is disposed. Resolves once it serves calls, even if the broker is down.
 */
export async function startService<Service extends DescService, Event extends DescMessage>(
  options: Surroundings & {
    /** The name in the topology and in error domains. */
    readonly name: string;
    readonly config: ServiceConfig;
    readonly createDatabase: (
      options: {
        readonly url: string;
        readonly limits: Partial<DatabaseLimits>;
      } & Surroundings,
    ) => Database;
    /**
     * The calls that the service answers. Disposing the result of `createRpc` finishes open calls.
     */
    readonly service: Service;
    /** The methods that users may not call for themselves here. */
    readonly noOwners?: ReadonlySet<DescMethod>;
    readonly createRpc: (
      foundations: Foundations,
    ) => AsyncDisposable & { readonly implementation: ServiceImpl<Service> };
    /** The service for operators, and the handlers of the methods that only this service has. */
    readonly ops?: {
      readonly service: DescService;
      readonly createRpc?: (foundations: Foundations) => OpsHandlers;
    };
    /** The events that the service publishes: every event that it writes to its outbox. */
    readonly publishes: readonly DescMessage[];
    /** The events that the service handles, and their handler. */
    readonly schemas: readonly Event[];
    readonly createHandler: (foundations: Foundations) => MessageHandler<Event>;
    /** See {@link createConsumer}. */
    readonly userOf: (event: MessageShape<Event>) => string;
    readonly usersTable?: string;
    /** The periodic work of the service. */
    readonly startLoops?: (foundations: Foundations) => readonly Loop[];
  },
): Promise<RunningService> {
  const { name, config, schemas, log, faults } = options;
  assertRouted(name, schemas);
  const publications = publicationsOf(name, options.publishes);
  const clock = createCheckedClock({ machine: options.clock, log });
  const newId = createIdSource(clock);
  await using starting = new AsyncDisposableStack();
  starting.use(await serveMetrics(config.metrics, log));

  const database = starting.use(
    options.createDatabase({
      url: config.databaseUrl,
      limits: config.connections,
      clock,
      log,
      faults,
    }),
  );
  await database.migrate();
  await compareClocks(database, clock);
  await maintainInbox(database, clock);
  starting.use(keepInboxPartitions({ database, clock, log }));
  starting.use(expireKeys({ database, clock, log }));

  const broker = starting.use(createBroker({ url: config.amqpUrl, name, log }));
  const { publisher } = broker;
  const { events: exchange, hints: hintsExchange } = topologyOf(name);
  const outbox = starting.use(
    createOutbox({
      database,
      publisher,
      exchange,
      publications,
      maxDepth: config.maxOutboxDepth,
      batches: config.eventBatches,
      newId,
      clock,
      log,
      faults,
    }),
  );
  const hints = starting.use(createHints({ broker, exchange: hintsExchange, clock, log }));
  const foundations = { database, outbox, hints, clock, newId, log, faults };
  for (const loop of options.startLoops?.(foundations) ?? []) starting.use(loop);
  const rpc = starting.use(options.createRpc(foundations));
  const handle = options.createHandler(foundations);
  const services: RpcService<DescService>[] = [
    { service: options.service, implementation: rpc.implementation as ServiceImpl<DescService> },
  ];
  if (options.ops) {
    const { service: contract, createRpc } = options.ops;
    services.push(
      createOpsRpc({
        contract,
        own: createRpc?.(foundations) ?? {},
        ...foundations,
        service: name,
        schemas,
        handle,
        broker,
        maxOutboxDepth: config.maxOutboxDepth,
        isConsuming: () => consumer.consuming,
      }),
    );
  }
  const health = createHealth();
  const server = createRpcServer({
    services,
    host: config.host,
    port: config.port,
    domain: `${name}.settle`,
    verifier: createTokenVerifier({ auth: config.auth, clock, log }),
    ...(options.noOwners && { noOwners: options.noOwners }),
    writeQuota: createWriteQuota({ limits: config.writeQuota, clock, log }),
    health,
    limits: {
      drainMs: config.drainMs,
      reads: config.reads,
      readBytesPerSecond: config.readBytesPerSecond,
      maxConnectCallsPerUser: config.maxConnectCallsPerUser,
      maxUntakenBytes: config.maxUntakenBytes,
    },
    pages: await readDocsPages({
      ownPackage: options.service.typeName.replace(/\.[^.]+$/, ""),
      tokenUrl: config.tokenUrl,
      edgeUrl: config.edgeUrl,
    }),
    descriptors: config.reflection ? await readDescriptors() : undefined,
    clock,
    log,
    newId,
  });
  starting.use(
    readAtScrape(() => {
      untakenBytes.set(server.untakenBytes);
      brokerConnected.set(publisher.ready ? 1 : 0);
    }),
  );
  const consumer = createConsumer({
    ...foundations,
    service: name,
    schemas,
    handle,
    userOf: options.userOf,
    usersTable: options.usersTable,
    broker,
  });
  starting.use(keepDeadLetters({ ...foundations, service: name, schemas, broker }));
  // Calls and messages end in parallel: one after the other would exceed the time of a stop.
  starting.defer(async () => {
    await Promise.all([server[Symbol.asyncDispose](), consumer[Symbol.asyncDispose]()]);
  });
  const address = await server.listen();
  health.setServing(true);
  log.info(address, `${name} is ready`);
  const running = starting.move();
  return { port: address.port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
