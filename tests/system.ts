import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestBroker, createTestDatabase, type TestBroker } from "@settle/chassis/testing";
import { subscriptions as ordersSubscriptions } from "@settle/orders/subscriptions";
import { subscriptions as paymentsSubscriptions } from "@settle/payments/subscriptions";
import { Pool } from "pg";
import { renderEdge } from "../edge/render.ts";
import { startEnvoy } from "../tools/local/envoy.ts";
import { type Child, type Nursery, startNursery } from "../tools/local/nursery.ts";
import { findFreePorts } from "../tools/local/ports.ts";
import { waitUntilReady } from "../tools/local/ready.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const startTimeoutMs = 30_000;

export type ServiceName = "orders" | "payments";

/** One process of a service. */
export type Replica = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** Settles once the process has ended. */
  readonly exited: Child["exited"];
  /** Stops it as a supervisor would. */
  stop(): Promise<void>;
  /** Ends it without warning. */
  kill(): Promise<void>;
};

/** The whole system on real parts of its own: databases, a virtual host, services and an edge. */
export type System = AsyncDisposable & {
  readonly edgeUrl: string;
  readonly broker: TestBroker;
  /** Direct access to a service's database, with the service's own role. */
  readonly databases: Readonly<Record<ServiceName, Pool>>;
  /** The first replica of each service, the one behind the edge, on `ports`. */
  readonly ports: Readonly<Record<ServiceName, number>>;
  /**
   * Starts one more process of a service and resolves once it answers. `crashAt` names the seam at
   * which it kills itself, `port` defaults to a free one.
   */
  start(
    service: ServiceName,
    options?: { readonly port?: number; readonly crashAt?: string },
  ): Promise<Replica>;
};

/**
 * Starts an edge, databases and a broker of their own; the services are up to the test, by
 * {@link System.start}. Disposing stops and removes everything.
 */
export async function startSystem(): Promise<System> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "settle-e2e-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const nursery = starting.use(await startNursery({ folder }));
  const broker = starting.use(
    await createTestBroker({ orders: ordersSubscriptions, payments: paymentsSubscriptions }),
  );
  const urls = {
    orders: starting.use(await createTestDatabase("orders")).url,
    payments: starting.use(await createTestDatabase("payments")).url,
  };
  const poolOf = (url: string) =>
    starting.adopt(new Pool({ connectionString: url, max: 2 }), (pool) => pool.end());
  const databases = { orders: poolOf(urls.orders), payments: poolOf(urls.payments) };
  const [edgePort = 0, adminPort = 0, ordersPort = 0, paymentsPort = 0] = await findFreePorts(4);
  const ports = { orders: ordersPort, payments: paymentsPort };
  await startEdge({ nursery, folder, edgePort, adminPort, ports });

  let count = 0;
  const running = starting.move();
  return {
    edgeUrl: `http://127.0.0.1:${edgePort}`,
    broker,
    databases,
    ports,
    async start(service, { port, crashAt } = {}) {
      const chosen = port ?? (await findFreePorts(1))[0] ?? 0;
      count += 1;
      const child = await nursery.spawn({
        name: `${service}-${count}`,
        command: process.execPath,
        args: [
          join(
            root,
            crashAt ? "tests/faults" : `services/${service}/src`,
            crashAt ? `${service}-main.ts` : "main.ts",
          ),
        ],
        cwd: root,
        env: {
          PORT: String(chosen),
          DATABASE_URL: urls[service],
          AMQP_URL: broker.urlOf(service),
          LOG_LEVEL: "debug",
          ...(crashAt ? { CRASH_AT: crashAt } : {}),
        },
      });
      const url = `http://127.0.0.1:${chosen}`;
      await waitUntilReady({
        what: service,
        child,
        isReady: () => answers(`${url}/healthz`),
        timeoutMs: startTimeoutMs,
      });
      return {
        url,
        port: chosen,
        pid: child.pid,
        logFile: child.logFile,
        exited: child.exited,
        stop: () => child.stop(),
        async kill() {
          process.kill(child.pid, "SIGKILL");
          await child.exited;
        },
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startEdge(options: {
  readonly nursery: Nursery;
  readonly folder: string;
  readonly edgePort: number;
  readonly adminPort: number;
  readonly ports: Readonly<Record<ServiceName, number>>;
}): Promise<void> {
  const { nursery, folder, edgePort, adminPort, ports } = options;
  const binary = process.env["ENVOY_BIN"];
  if (!binary) throw new Error("ENVOY_BIN is not set: run the tests with npm test");
  const config = join(folder, "envoy.yaml");
  await writeFile(
    config,
    renderEdge({
      listenPort: edgePort,
      adminPort,
      orders: { host: "127.0.0.1", port: ports.orders },
      payments: { host: "127.0.0.1", port: ports.payments },
      descriptorsPath: join(root, "gen/envoy/descriptors.binpb"),
    }),
  );
  await startEnvoy({ nursery, binary, config, port: edgePort });
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
