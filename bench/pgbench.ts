import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { type DebianPackages, unpackDebianPackages } from "../tools/local/fetch/debian-packages.ts";
import { findProgram, runTool } from "../tools/local/process/run-tool.ts";

const baseline = fileURLToPath(new URL("baseline/", import.meta.url));
const database = "baseline";
const accounts = 10_000;
const versionTimeoutMs = 5_000;
const startTimeoutMs = 30_000;
/** Where packages install it; Debian's `pgbench` in PATH is a wrapper that needs a cluster. */
const usualPlaces = [
  "/usr/lib/postgresql/*/bin/pgbench",
  "/usr/pgsql-*/bin/pgbench",
  "/opt/homebrew/opt/postgresql@*/bin/pgbench",
];

/** A pgbench that runs here, and its environment. */
export type Pgbench = { readonly binary: string; readonly env: NodeJS.ProcessEnv };

/**
 * Returns the pgbench of this machine, or else the one in the packages of this Debian or Ubuntu
 * release, unpacked into the cache. If there is none, throws an error that says what to install.
 */
export async function providePgbench(
  options: Pick<DebianPackages, "cacheDir" | "env" | "signal" | "log">,
): Promise<Pgbench> {
  const { env } = options;
  const installed = usualPlaces.flatMap((place) => globSync(place).toSorted().toReversed());
  const inPath = findProgram("pgbench", env);
  for (const binary of [...installed, ...(inPath ? [inPath] : [])]) {
    if (await runs({ binary, env })) return { binary, env };
  }
  try {
    const packages = { ...options, name: "PostgreSQL", packages: ["postgresql"] };
    const { root, libraryPath } = await unpackDebianPackages(packages);
    const [binary = ""] = globSync(join(root, "usr/lib/postgresql/*/bin/pgbench"));
    const unpacked = { binary, env: { ...env, LD_LIBRARY_PATH: libraryPath } };
    if (await runs(unpacked)) return unpacked;
    throw new Error(`the pgbench in ${root} does not run`);
  } catch (error) {
    throw new Error(
      `There is no pgbench to compare with, and it could not be fetched: ${error}\n` +
        "Install it (Debian, Ubuntu: sudo apt-get install postgresql; macOS: brew install postgresql)",
      { cause: error },
    );
  }
}

/** Creates the database of the baseline with its tables. */
export async function createBaseline(databaseUrl: (name: string) => string): Promise<void> {
  for (const [name, sql] of [
    ["postgres", `CREATE DATABASE ${database}`],
    [database, readFileSync(join(baseline, "schema.sql"), "utf8")],
    [database, "ANALYZE"],
  ] as const) {
    const client = new Client({ connectionString: databaseUrl(name) });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }
}

/**
 * Runs the baseline, one order at a time in each of `clients` connections, and returns the orders
 * per second. Throws if a transaction failed.
 */
export async function runBaseline(options: {
  readonly pgbench: Pgbench;
  readonly databaseUrl: (name: string) => string;
  readonly clients: number;
  readonly seconds: number;
}): Promise<number> {
  const { pgbench, databaseUrl, clients, seconds } = options;
  const { hostname, port, username, password } = new URL(databaseUrl(database));
  const output = await runTool(
    pgbench.binary,
    [
      ..."-n -M prepared -j 2 -f".split(" "),
      join(baseline, "one.sql"),
      ...["-c", String(clients), "-T", String(seconds), "-D", `naccounts=${accounts}`],
      ...["-h", hostname, "-p", port, "-U", username, database],
    ],
    {
      env: { ...pgbench.env, PGPASSWORD: password },
      timeoutMs: seconds * 1_000 + startTimeoutMs,
    },
  );
  return ordersPerSecondIn(output);
}

/** Reads pgbench's report; throws if it contains failures or no result. */
export function ordersPerSecondIn(report: string): number {
  const tps = /^tps = ([\d.]+)/m.exec(report)?.[1];
  const failed = /^number of failed transactions: (\d+)/m.exec(report)?.[1] ?? "0";
  if (tps === undefined || failed !== "0") throw new Error(`pgbench did not succeed:\n${report}`);
  return Number(tps);
}

async function runs({ binary, env }: Pgbench): Promise<boolean> {
  try {
    await runTool(binary, ["--version"], { env, timeoutMs: versionTimeoutMs });
    return true;
  } catch {
    return false;
  }
}
