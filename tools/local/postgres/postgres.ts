import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Child, Nursery } from "../process/nursery.ts";
import { waitUntilReady } from "../process/ready.ts";
import { readSecret } from "../secrets.ts";
import { createCluster, placeBinaries, removeStaleLock, superuser } from "./postgres-cluster.ts";
import { findUnprivilegedUser } from "./unprivileged.ts";

export { dropPostgresData } from "./postgres-cluster.ts";

const host = "127.0.0.1";
/** Includes the recovery after a crash. */
const startTimeoutMs = 120_000;
const stopTimeoutMs = 20_000;

/** fsync, synchronous_commit and full_page_writes keep their defaults, for full durability. */
const serverSettings = {
  listen_addresses: host,
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "128MB",
  max_wal_size: "2GB",
  wal_compression: "on",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %q%u@%d ",
};

/** The options of a local PostgreSQL. */
export type PostgresOptions = {
  readonly nursery: Nursery;
  /** The folder of the cluster and the superuser's password (mode 0600); created if missing. */
  readonly dataDir: string;
  readonly port: number;
  /** Names the process and its log; default `postgres`. */
  readonly name?: string;
};

/** A PostgreSQL server that accepts connections. Disposing it stops it cleanly (fast shutdown). */
export interface RunningPostgres extends AsyncDisposable {
  /** The superuser's URL of the database `postgres`. */
  readonly adminUrl: string;
  readonly child: Child;
}

/**
 * Starts the PostgreSQL that `npm ci` installed, on loopback only, with data checksums and full
 * durability. The first start creates the data folder. If this process is root, the server runs as
 * `nobody`. Resolves when it accepts connections; throws `PartFailure` with the reason otherwise.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { nursery, dataDir, port, name = "postgres" } = options;
  const user = findUnprivilegedUser();
  const native = await placeBinaries(user);
  const password = readSecret(join(dataDir, "superuser-password"));
  const cluster = await createCluster({ nursery, name, native, dataDir, user, password });
  removeStaleLock(cluster);

  const settings = Object.entries({ ...serverSettings, port: String(port) });
  const child = await nursery.spawn({
    name,
    command: join(native, "bin/postgres"),
    args: ["-D", cluster, ...settings.flatMap(([key, value]) => ["-c", `${key}=${value}`])],
    env: { LC_ALL: "C", TZ: "UTC" },
    cwd: "/",
    ...user,
    // Fast shutdown: SIGTERM would wait until all clients disconnect.
    stopSignal: "SIGINT",
    stopTimeoutMs,
  });
  await waitUntilReady({
    what: "PostgreSQL",
    child,
    isReady: async () => isAccepting(cluster, child.pid),
    timeoutMs: startTimeoutMs,
  });
  return {
    adminUrl: `postgres://${superuser}:${password}@${host}:${port}/postgres`,
    child,
    [Symbol.asyncDispose]: () => child.stop(),
  };
}

/** Reads the status in the lock file, as pg_ctl does. */
function isAccepting(cluster: string, pid: number): boolean {
  const lock = join(cluster, "postmaster.pid");
  if (!existsSync(lock)) return false;
  const lines = readFileSync(lock, "utf8").split("\n");
  return Number(lines[0]) === pid && lines[7]?.trim() === "ready";
}
