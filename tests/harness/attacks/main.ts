/** `npm run attack`: attacks the whole system beside good traffic, and prints what good callers saw. */
import { startProgress } from "../../../bench/progress.ts";
import { runUntilStopped } from "../../../tools/local/process/stop-signal.ts";
import { openAccounts, placeLongOrders } from "./accounts.ts";
import { type Plan, readArguments, usage } from "./arguments.ts";
import type { User } from "./attack.ts";
import { type AttackedSystem, startAttackedSystem } from "./attacked-system.ts";
import { audit } from "./audit.ts";
import { attacks } from "./catalog.ts";
import { startGoodTraffic } from "./good-traffic.ts";
import { watchHealth } from "./health-watch.ts";
import {
  type Measurement,
  measureAttack,
  measureQuiet,
  type Observers,
  type Window,
} from "./measure.ts";
import { watchMemory } from "./memory-watch.ts";
import { detailsOf, missedGoals, serviceMemoryMb, summaryOf, tableOf } from "./report.ts";

const goodUsers = 10;
const attackers = 61;
const callsPerSecond = 40;
const warmUpS = 10;
/** A quiet time is compared with the attacks of the next minutes. */
const quietValidMs = 300_000;
const calmS = 3;
const healTimeoutMs = 90_000;
/** Longer than the attacks with the clock ahead. */
const tokenLifetimeS = 30 * 24 * 3_600;

type Found = { readonly measurements: readonly Measurement[]; readonly wrong: readonly string[] };

async function attackAll(
  plan: Plan,
  system: AttackedSystem,
  log: (line: string) => void,
): Promise<Found> {
  const good = await usersOf(system, "good", goodUsers);
  const bad = await usersOf(system, "attacker", attackers);
  log("opening accounts, and placing 1,000 orders of 1 kB");
  await openAccounts(system.port, [...good, ...bad]);
  await placeLongOrders(system.port, bad[0] as User);
  await using traffic = startGoodTraffic({
    port: system.port,
    users: good,
    perSecond: callsPerSecond,
  });
  await using health = watchHealth(system.port);
  using memory = watchMemory(system.pids);
  const observers = { traffic, health, memory };
  log(`warming up for ${warmUpS} s`);
  await measureQuiet(observers, warmUpS);

  const measurements: Measurement[] = [];
  let quiet: Window | undefined;
  let quietMs = 0;
  for (const attack of attacks.filter(({ name }) => plan.only.has(name))) {
    if (!quiet || performance.now() - quietMs > quietValidMs) {
      log(`no attack for ${plan.quietS} s`);
      quiet = await measureQuiet(observers, plan.quietS);
      quietMs = performance.now();
      log(`  ${quiet.calls} calls, ${quiet.failed} failed, p99 ${quiet.p99Ms.toFixed(0)} ms`);
      for (const reason of quiet.reasons) log(`    ${reason}`);
    }
    const { form, seconds } = plan;
    log(`${attack.name}: ${attack.in(form).size}`);
    const found = await measureAttack({
      ...{ attack, form, seconds, system, observers, quiet },
      attackers: bad,
    });
    measurements.push(found);
    for (const line of [summaryOf(found), ...detailsOf(found).slice(1)]) log(`  ${line}`);
    const used = Math.max(found.peakMb.orders ?? 0, found.peakMb.payments ?? 0);
    if (used > serviceMemoryMb || !Number.isFinite(found.recoveryS)) {
      await restartServices(system, observers, log);
    }
  }
  log("checking that each answered order was settled once");
  await traffic[Symbol.asyncDispose]();
  const did = new Map(measurements.map((found) => [found.attack, found.did]));
  return { measurements, wrong: await audit(system, traffic.answered, did) };
}

/** Restarts the services, so that what an attack has left behind does not count for the next one. */
async function restartServices(
  system: AttackedSystem,
  observers: Observers,
  log: (line: string) => void,
): Promise<void> {
  log("  restarting the services");
  for (const service of ["orders", "payments"]) system.kill(service);
  const endMs = performance.now() + healTimeoutMs;
  while (performance.now() < endMs) {
    const { failed } = await measureQuiet(observers, calmS);
    if (failed === 0) return;
  }
  log("  good calls still fail");
}

async function usersOf(
  { issuer }: AttackedSystem,
  prefix: string,
  count: number,
): Promise<readonly User[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const userId = `${prefix}-${at}`;
      const token = await issuer.sign({ userId, lifetimeS: tokenLifetimeS });
      return { userId, authorization: `Bearer ${token}` };
    }),
  );
}

async function main(stop: AbortController): Promise<void> {
  const plan = readArguments(process.argv.slice(2));
  if (plan.help) return console.log(usage);
  const { signal } = stop;
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  stopped.catch(() => {});
  const { line: log } = startProgress();
  await using system = await startAttackedSystem({ signal, log });
  const { measurements, wrong } = await Promise.race([attackAll(plan, system, log), stopped]);
  const missed = measurements.filter((found) => missedGoals(found).length > 0);
  if (plan.json) {
    const judged = measurements.map((found) => ({ ...found, missed: missedGoals(found) }));
    console.log(JSON.stringify({ measurements: judged, wrong }, undefined, 2));
  } else {
    console.log(tableOf(measurements));
    for (const line of wrong) console.log(`WRONG ${line}`);
    console.log(
      `\n${measurements.length - missed.length} of ${measurements.length} attacks met every goal.`,
    );
  }
  if (missed.length > 0 || wrong.length > 0) process.exitCode = 1;
}

await runUntilStopped(main);
