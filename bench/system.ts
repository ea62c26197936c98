import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@settle/chassis/base/clock";
import { Pool } from "pg";
import { serviceNames } from "../services/services.ts";
import { type Issuer, openIssuer } from "../tools/dev-issuer/issuer.ts";
import type { LocalConfig } from "../tools/local/config.ts";
import { findStackPorts } from "../tools/local/ports.ts";
import { type Nursery, type SpawnOptions, startNursery } from "../tools/local/process/nursery.ts";
import { readAdminPassword } from "../tools/local/rabbitmq/rabbitmq-node.ts";
import { createScratchData } from "../tools/local/scratch-data.ts";
import { readSecret } from "../tools/local/secrets.ts";
import { startStack } from "../tools/local/stack.ts";
import { createEdgeClient, type EdgeClient } from "./edge-client.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The folder for downloads. */
export const cacheDir = join(root, ".cache");
const dataDir = join(root, ".data");

/** The measured system, as `npm start` runs it, with its own ports and data. */
export type BenchSystem = AsyncDisposable & {
  readonly edge: EdgeClient;
  /** Signs tokens for the system in this process. */
  readonly issuer: Issuer;
  /** Returns the URL of a database of the server, with the superuser's credentials. */
  databaseUrl(name: string): string;
  readonly orders: Pool;
  readonly payments: Pool;
  /** The URL of the virtual host, with an administrator's credentials. */
  readonly amqpUrl: string;
  /** The process ids, by the name of the process. */
  readonly pids: ReadonlyMap<string, number>;
  /** Rejects as soon as a process dies: later measurements are void. */
  readonly broken: Promise<never>;
};

/**
 * Starts PostgreSQL, RabbitMQ, an issuer, the services and Envoy, fully durable. The data is in the
 * project folder and not in the system's temporary folder, which may be in memory. Disposing removes
 * it.
 */
export async function startBenchSystem(options: {
  readonly profileFolder: string | undefined;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}): Promise<BenchSystem> {
  const { profileFolder, signal, log } = options;
  await using starting = new AsyncDisposableStack();
  const { folder } = starting.use(createScratchData("bench-", dataDir));
  const nursery = starting.use(await startNursery({ folder }));
  // Stops all processes, also during startup: callers that wait for them then fail.
  signal.addEventListener("abort", () => void nursery[Symbol.asyncDispose]());
  const stopping = new AbortController();
  starting.defer(() => stopping.abort());
  const ports = await findStackPorts();
  const config: LocalConfig = {
    help: false,
    fresh: false,
    ports,
    broker: undefined,
    page: false,
    dataDir: folder,
    logLevel: "warn",
    env: process.env,
  };

  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  await startStack({
    config,
    root,
    cacheDir,
    nursery: withMeasuring(nursery, profileFolder),
    // Processes that exit because we stop must not be restarted.
    signal: AbortSignal.any([signal, stopping.signal]),
    report(name, state, detail) {
      if (state === "died") broken.reject(new Error(`${name} died: ${detail}`));
      log(`${name}: ${state}${detail && ` (${detail})`}`);
    },
  });

  const superuser = `postgres:${readSecret(join(folder, "postgres/superuser-password"))}`;
  const databaseUrl = (name: string) =>
    `postgres://${superuser}@127.0.0.1:${ports.postgres}/${name}`;
  const poolOf = (name: string) =>
    starting.adopt(new Pool({ connectionString: databaseUrl(name), max: 1 }), (pool) => pool.end());
  const edge = starting.use(createEdgeClient(ports.edge));
  // Uses the keys and claims of the issuer that the stack has started.
  const issuer = await openIssuer({
    folder: join(folder, "issuer"),
    issuer: `http://localhost:${ports.auth}`,
    audience: "settle",
    clock: systemClock,
  });
  const [orders, payments] = [poolOf("orders"), poolOf("payments")];
  const running = starting.move();
  return {
    edge,
    issuer,
    databaseUrl,
    orders,
    payments,
    amqpUrl: `amqp://admin:${readAdminPassword(join(folder, "rabbitmq"))}@127.0.0.1:${ports.amqp}/settle`,
    pids: nursery.pids(),
    broken: broken.promise,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A nursery for measuring: PostgreSQL records commit timestamps, the services can be profiled. */
function withMeasuring(nursery: Nursery, profileFolder: string | undefined): Nursery {
  const further = ({ name, args }: SpawnOptions): readonly string[] => {
    if (name === "postgres") return [...args, "-c", "track_commit_timestamp=on"];
    if (profileFolder === undefined || !serviceNames.some((service) => service === name)) {
      return args;
    }
    return ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, ...args];
  };
  return {
    spawn: (options) => nursery.spawn({ ...options, args: further(options) }),
    pids: () => nursery.pids(),
    [Symbol.asyncDispose]: () => nursery[Symbol.asyncDispose](),
  };
}
