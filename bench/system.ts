import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Pool } from "pg";
import { serviceNames } from "../services/services.ts";
import type { Issuer } from "../tools/dev-issuer/issuer.ts";
import type { Nursery, SpawnOptions } from "../tools/local/process/nursery.ts";
import { readSecret } from "../tools/local/secrets.ts";
import { createEdgeClient, type EdgeClient } from "./edge-client.ts";

/** The root of this checkout. */
export const thisCheckout = fileURLToPath(new URL("..", import.meta.url));
/** The folder for downloads. */
export const cacheDir = join(thisCheckout, ".cache");

/** All load comes from one address, so that may use what the edge allows all addresses together. */
const raised = { requestsPerSecondPerAddress: 10_000 };

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
  /** The checkout whose system is measured; by default this one. Its dependencies are installed. */
  readonly root?: string;
  readonly profileFolder: string | undefined;
  /** The variables of the services that are not left at their defaults. */
  readonly serviceEnv: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}): Promise<BenchSystem> {
  const { root = thisCheckout, profileFolder, serviceEnv, signal, log } = options;
  // A checkout starts its system itself, because it knows the parts and their settings.
  const { startScratchStack } = (await import(
    pathToFileURL(join(root, "tools/local/scratch-stack.ts")).href
  )) as typeof import("../tools/local/scratch-stack.ts");
  for (const [name, value] of Object.entries(raised)) log(`edge: ${name} raised to ${value}`);
  await using starting = new AsyncDisposableStack();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const { folder, ports, pids, issuer, amqpUrl } = starting.use(
    await startScratchStack({
      root,
      prefix: "bench-",
      parent: join(root, ".data"),
      page: false,
      edge: raised,
      serviceEnv,
      wrap: (nursery) => withMeasuring(nursery, profileFolder),
      signal,
      report(name, state, detail) {
        if (state === "died") broken.reject(new Error(`${name} died: ${detail}`));
        log(`${name}: ${state}${detail && ` (${detail})`}`);
      },
    }),
  );

  const superuser = `postgres:${readSecret(join(folder, "postgres/superuser-password"))}`;
  const databaseUrl = (name: string) =>
    `postgres://${superuser}@127.0.0.1:${ports.postgres}/${name}`;
  const poolOf = (name: string) =>
    starting.adopt(new Pool({ connectionString: databaseUrl(name), max: 1 }), (pool) => pool.end());
  const edge = starting.use(createEdgeClient(ports.edge));
  const [orders, payments] = [poolOf("orders"), poolOf("payments")];
  const running = starting.move();
  return {
    edge,
    issuer,
    databaseUrl,
    orders,
    payments,
    amqpUrl,
    pids,
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
