import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type BrokerServer,
  createTestBroker,
  createTestDatabase,
  eventually,
  type TestBroker,
} from "@settle/chassis/testing";
import { Pool, types } from "pg";
import {
  type ServiceName as ListedService,
  perService,
  serviceNames,
  serviceNodeOptions,
} from "../../../services/services.ts";
import type { TokenIssuer } from "../../../tools/local/config.ts";
import { findFreePorts } from "../../../tools/local/ports.ts";
import { startNursery } from "../../../tools/local/process/nursery.ts";
import { isAnswering, waitUntilReady } from "../../../tools/local/process/ready.ts";
import { notWaitedFor, subscriptions } from "../../../tools/provision/subscriptions.ts";
import type { Caller } from "../calls/call.ts";
import { createSdkCaller } from "../calls/sdk-caller.ts";
import { type Edge, startEdge } from "./edge.ts";
import { killed, type Replica, replicaOf } from "./replica.ts";
import { readTestAuth } from "./tokens.ts";

export type { Replica } from "./replica.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const startTimeoutMs = 30_000;

/** The two services that settle orders. */
export type ServiceName = "orders" | "payments";

/**
 * The whole system with real parts of its own: for each service in the list, a database and a
 * cluster at the edge; and a virtual host with all queues.
 */
export type System = AsyncDisposable & {
  readonly edgeUrl: string;
  /**
   * Calls through the edge with the SDK, with a token per user. Without retries, so that tests see
   * the outcome of each call.
   */
  readonly call: Caller;
  /** The edge, to stop it and to read its statistics. */
  readonly edge: Edge;
  readonly broker: TestBroker;
  /**
   * Access to the database of a service, with the role of the service; bigint columns are bigint.
   */
  readonly databases: Readonly<Record<ListedService, Pool>>;
  /** The port of the first replica of each service at the edge. */
  readonly ports: Readonly<Record<ListedService, number>>;
  /** The port of a second replica of orders, if the test requested one. */
  readonly secondOrdersPort: number | undefined;
  /** The unexpected ends of processes; normally empty. */
  readonly unexplainedExits: readonly string[];
  /**
   * Starts another process of a service and resolves when it responds. `crashAt` is the seam at
   * which it kills itself (see faults/kill-at.ts), possibly before it responds. `port` is a free
   * port by default; `env` has additional variables.
   */
  start(
    service: ListedService,
    options?: {
      readonly port?: number;
      readonly crashAt?: string;
      readonly env?: Readonly<Record<string, string>>;
    },
  ): Promise<Replica>;
  /** Starts a process of orders and of payments; resolves when both are healthy at the edge. */
  startBoth(): Promise<Readonly<Record<ServiceName, Replica>>>;
  /** Resolves when both services are healthy at the edge. */
  healthy(): Promise<void>;
  /** Kills all processes of all services. */
  killAll(): Promise<void>;
};

export type SystemOptions = {
  /** Servers to use instead of those of the test run, as administrator URLs. */
  readonly postgresUrl?: string;
  readonly rabbitmq?: BrokerServer;
  /** Adds a second replica of orders to the edge, which the test starts. */
  readonly twoOrders?: boolean;
  /** The token issuer; by default that of the test run. */
  readonly auth?: TokenIssuer;
  /** Services of the test that no publisher waits for, and the events that they consume. */
  readonly alsoTo?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** The origins that may call the edge from a browser. */
  readonly corsOrigins?: readonly string[];
};

/**
 * Starts an edge, databases and a virtual host for the test. The test starts the services with
 * {@link System.start}. Disposing kills and removes everything.
 */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { postgresUrl, rabbitmq, twoOrders, alsoTo = {} } = options;
  const { auth = readTestAuth(), corsOrigins } = options;
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "settle-e2e-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const nursery = starting.use(await startNursery({ folder }));
  const broker = starting.use(
    await createTestBroker(
      { ...subscriptions, ...alsoTo },
      { server: rabbitmq, notWaitedFor: [...notWaitedFor, ...Object.keys(alsoTo)] },
    ),
  );
  const made = new Map<ListedService, string>();
  for (const name of serviceNames) {
    made.set(name, starting.use(await createTestDatabase(name, postgresUrl)).url);
  }
  const urls = perService((name) => made.get(name) ?? "");
  const databases = perService((name) => starting.adopt(poolOf(urls[name]), (pool) => pool.end()));
  const [furtherPort = 0, ...firstPorts] = await findFreePorts(1 + serviceNames.length);
  const ports = perService((name) => firstPorts[serviceNames.indexOf(name)] ?? 0);
  const secondOrdersPort = twoOrders ? furtherPort : undefined;
  const instances = perService((name) => [ports[name]]);
  if (secondOrdersPort !== undefined) instances.orders.push(secondOrdersPort);
  const edge = await startEdge({ nursery, folder, ports: instances, auth, corsOrigins });

  const replicas = new Set<Replica>();
  const unexplainedExits: string[] = [];
  let count = 0;
  const start: System["start"] = async (service, { port, crashAt, env } = {}) => {
    const chosen = port ?? (await findFreePorts(1))[0] ?? 0;
    count += 1;
    const child = await nursery.spawn({
      name: `${service}-${count}`,
      command: process.execPath,
      args: [...serviceNodeOptions, mainOf(service, crashAt)],
      cwd: root,
      env: {
        PORT: String(chosen),
        DATABASE_URL: urls[service],
        AMQP_URL: broker.urlOf(service),
        LOG_LEVEL: "debug",
        AUTH_ISSUER: auth.issuer,
        AUTH_AUDIENCE: auth.audience,
        AUTH_JWKS_URL: auth.jwksUrl,
        EDGE_URL: edge.url,
        EVENT_BATCHES: "on",
        ...(crashAt ? { CRASH_AT: crashAt } : {}),
        ...env,
      },
    });
    const replica = replicaOf(child, chosen, (exit, asked) => {
      replicas.delete(replica);
      if (asked || (crashAt && exit.code === killed)) return;
      unexplainedExits.push(`${child.logFile}: ${exit.reason}`);
    });
    replicas.add(replica);
    const isReady = async () =>
      (crashAt && !replicas.has(replica)) || isAnswering(`${replica.url}/healthz`);
    await waitUntilReady({ what: service, child, isReady, timeoutMs: startTimeoutMs });
    return replica;
  };
  const healthy = async () => {
    await eventually("the edge finds both services healthy", async () =>
      (await isAnswering(`${edge.url}/healthz`)) ? true : undefined,
    );
  };
  const killAll = async () => {
    await Promise.all([...replicas].map((replica) => replica.kill()));
  };
  starting.defer(killAll);
  const { call } = starting.use(createSdkCaller({ baseUrl: edge.url, maxRetries: 0 }));
  const running = starting.move();
  return {
    edgeUrl: edge.url,
    edge,
    call,
    broker,
    databases,
    ports,
    secondOrdersPort,
    unexplainedExits,
    start,
    async startBoth() {
      const [orders, payments] = await Promise.all([
        start("orders", { port: ports.orders }),
        start("payments", { port: ports.payments }),
      ]);
      await healthy();
      return { orders, payments };
    },
    healthy,
    killAll,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function poolOf(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 2, types: { getTypeParser: parserOf } });
  // If an idle connection breaks because its server stops, the next use opens a new one.
  pool.on("error", () => {});
  return pool;
}

function parserOf(oid: number) {
  return oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid);
}

function mainOf(service: ListedService, crashAt: string | undefined): string {
  const path = crashAt
    ? `tests/harness/faults/${service}-main.ts`
    : `services/${service}/src/main.ts`;
  return join(root, path);
}
