/** `npm start`: runs the whole system on this machine until Ctrl-C. */
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { neutralise } from "../neutral-environment.mjs";
import { createBoard } from "./board.ts";
import { type LocalConfig, readLocalConfig, usage } from "./config.ts";
import { localPorts, type PortName } from "./local-ports.ts";
import { otherPort, whyPortIsTaken } from "./ports.ts";
import { ClaimedElsewhere } from "./process/claim.ts";
import { type Nursery, startNursery } from "./process/nursery.ts";
import { PartFailure } from "./process/ready.ts";
import { abortOnStop } from "./process/stop-signal.ts";
import { dropServersData } from "./scratch-data.ts";
import { partNames, startStack } from "./stack.ts";
import { welcome } from "./welcome.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cacheDir = join(root, ".cache");
/** A folder that belongs to somebody else, is read-only, full, or not a folder. */
const unwritable = ["EACCES", "EPERM", "EROFS", "ENOSPC", "ENOTDIR"];

async function main(): Promise<void> {
  const envFile = join(root, ".env");
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  neutralise(process.env);
  const config = readLocalConfig(root, process.argv.slice(2), process.env);
  if (config.help) return console.log(usage);

  const stop = new AbortController();
  abortOnStop(stop);
  const nursery = await openNursery(config);
  // Stops all processes, also during the start; code that waits for them then fails.
  stop.signal.addEventListener("abort", () => void nursery[Symbol.asyncDispose]());
  try {
    await run({ config, nursery, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) reportFailure(config, error);
  } finally {
    stop.abort();
    await nursery[Symbol.asyncDispose]();
  }
  if (process.exitCode === undefined) console.log("Stopped.");
}

async function run(options: {
  config: LocalConfig;
  nursery: Nursery;
  signal: AbortSignal;
}): Promise<void> {
  const { config, nursery, signal } = options;
  if (config.fresh) await dropData(config);
  await assertPortsFree(config);
  signal.throwIfAborted();
  using board = createBoard({
    out: process.stdout,
    names: partNames(config),
    nowMs: () => performance.now(),
  });
  signal.addEventListener("abort", () => {
    board[Symbol.dispose]();
    console.log("\nStopping ...");
  });
  await startStack({ config, root, cacheDir, nursery, signal, report: board.report });
  board[Symbol.dispose]();
  console.log(welcome(config));
  await once(signal, "abort");
}

function reportFailure({ dataDir }: LocalConfig, error: unknown): void {
  process.exitCode = 1;
  console.error(`\n${error instanceof Error ? error.message : error}`);
  if (!(error instanceof PartFailure)) return;
  console.error(`\nAll logs are in ${join(dataDir, "logs")}.`);
  console.error("If the local data is damaged, delete it: npm start -- --fresh");
}

async function openNursery({ dataDir }: LocalConfig): Promise<Nursery> {
  try {
    return await startNursery({ folder: dataDir });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && unwritable.includes(code)) {
      throw new Error(`${dataDir} cannot be written (${code}). Set DATA_DIR to another folder.`);
    }
    if (!(error instanceof ClaimedElsewhere)) throw error;
    throw new Error(
      `Settle is already running from this folder, as process ${error.pid}. ` +
        `Use it, or stop it: kill ${error.pid}`,
    );
  }
}

async function dropData({ dataDir, env }: LocalConfig): Promise<void> {
  await dropServersData(dataDir, env);
  for (const secrets of ["passwords", "issuer"]) {
    rmSync(join(dataDir, secrets), { recursive: true, force: true });
  }
}

async function assertPortsFree({
  ports,
  broker,
  issuer,
  page,
  observe,
}: LocalConfig): Promise<void> {
  const faults: string[] = [];
  const others: string[] = [];
  const unused = new Set<PortName>([
    ...(broker ? (["amqp", "management", "rabbitmqMetrics"] as const) : []),
    ...(issuer ? (["auth"] as const) : []),
    ...(page ? [] : (["page", "pageMetrics"] as const)),
    ...(observe ? [] : (["prometheus"] as const)),
  ]);
  for (const [name, port] of Object.entries(ports) as [PortName, number][]) {
    if (unused.has(name)) continue;
    const why = await whyPortIsTaken(port);
    if (why === undefined) continue;
    const { what, variable } = localPorts[name];
    faults.push(`Port ${port} for ${what} cannot be used: ${why}.`);
    others.push(`${variable}=${otherPort(port)}`);
  }
  if (faults.length === 0) return;
  const remedy =
    "Stop what listens there, or choose other ports, here or in a file .env: " +
    `${others.join(" ")} npm start`;
  throw new Error([...faults, remedy].join("\n"));
}

try {
  await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
process.exit();
