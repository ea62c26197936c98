/** `npm run bench`: measures the whole system and prints the results as JSON. */
import { cpus } from "node:os";
import { runUntilStopped } from "../tools/local/process/stop-signal.ts";
import { compare } from "./comparison.ts";
import { measureLatency } from "./latency.ts";
import { createLoad } from "./load.ts";
import { createBaseline, providePgbench } from "./pgbench.ts";
import { type Plan, readArguments, usage } from "./plan.ts";
import { type Progress, startProgress } from "./progress.ts";
import { type BenchSystem, cacheDir, startBenchSystem } from "./system.ts";
import { saturate } from "./throughput.ts";

const warmUpConnections = 64;

async function measure(options: {
  plan: Plan;
  system: BenchSystem;
  signal: AbortSignal;
  progress: Progress;
}) {
  const { plan, system, signal, progress } = options;
  const { edge, issuer } = system;
  const load = createLoad({ edge, issuer, accounts: plan.accounts });
  const pgbench = await providePgbench({ cacheDir, env: process.env, signal, log: progress.line });
  await createBaseline(system.databaseUrl);

  progress.line(`creating ${plan.accounts} accounts through the edge`);
  await progress.during(
    () => `${load.accountsCreated} of ${plan.accounts} accounts`,
    load.createAccounts(),
  );
  progress.line(`warming up for ${plan.warmUpS} s`);
  const warmUp = { system, load, connections: warmUpConnections, seconds: plan.warmUpS };
  await progress.during(() => "warming up", saturate(warmUp));

  progress.line(`create to paid at 20 orders a second for ${plan.latencyS} s`);
  const createToPaid = await progress.during(
    () => "create to paid",
    measureLatency({ load, system, seconds: plan.latencyS }),
  );
  progress.line(`  p50 ${createToPaid.p50Ms} ms, p99 ${createToPaid.p99Ms} ms`);
  return { createToPaid, throughput: await compare({ plan, system, load, pgbench, progress }) };
}

async function describeMachine({ orders }: BenchSystem) {
  const { rows } = await orders.query("SHOW server_version");
  const processors = cpus();
  return {
    processors: processors.length,
    model: processors[0]?.model,
    node: process.version,
    postgres: rows[0].server_version,
  };
}

async function main(stop: AbortController): Promise<void> {
  const { help, plan, serviceEnv, profileFolder } = readArguments(process.argv.slice(2));
  if (help) return console.log(usage);
  const progress = startProgress();
  const { signal } = stop;
  for (const [name, value] of Object.entries(serviceEnv)) progress.line(`raised: ${name}=${value}`);
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  stopped.catch(() => {});
  await using system = await startBenchSystem({
    profileFolder,
    serviceEnv,
    signal,
    log: progress.line,
  });
  const machine = await describeMachine(system);
  const measured = measure({ plan, system, signal, progress });
  const found = await Promise.race([measured, system.broken, stopped]);
  console.log(JSON.stringify({ machine, raised: serviceEnv, ...found }, undefined, 2));
  const { faults } = found.throughput;
  if (faults.length > 0) throw new Error(`The figures are void: ${faults.join("; ")}`);
}

await runUntilStopped(main);
