/** `npm run recovery`: breaks parts of a running system and measures how long it takes to recover. */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startProgress } from "../../../bench/progress.ts";
import { dueTimes, sendOnSchedule } from "../../../bench/schedule.ts";
import { percentile } from "../../../bench/statistics.ts";
import { abortOnStop } from "../../../tools/local/process/stop-signal.ts";
import { type RecoveringSystem, startRecoveringSystem } from "./recovering-system.ts";

const usage = `npm run recovery [-- --quick] [-- --trials <number>] [-- --only <text>]

Starts a system, breaks its parts, and prints how long it takes until an order is paid again, and how
long after an outage of a minute at 100 orders a second until no order waits. About ten minutes.

  --quick             outages of ten seconds and one trial of each other fault; about two minutes
  --trials <number>   trials of each fault (5)
  --only <text>       only the faults with this text in their name`;

const pollIntervalMs = 50;
/** Between two trials. Five kills within a minute are the worst case of a supervisor. */
const calmMs = 8_000;
const recoveryTimeoutMs = 120_000;
const ordersPerSecond = 100;
/** An order that waits for no longer than this is not part of a backlog. */
const usualWaitMs = 1_000;

type Fault = {
  readonly name: string;
  readonly goalMs: number;
  /** Breaks something and resolves with the recovery in milliseconds. */
  readonly recover: (system: RecoveringSystem) => Promise<number>;
  /** By default as many as `--trials` says. */
  readonly trials?: number;
};

const killed = (
  name: string,
  process: Parameters<RecoveringSystem["kill"]>[0],
  goalMs: number,
): Fault => ({
  name,
  goalMs,
  recover: (system) => untilPaid(system, () => system.kill(process)),
});

const halfOpen = (
  service: "orders" | "payments",
  to: "DATABASE_URL" | "AMQP_URL",
  name: string,
): Fault => ({
  name,
  goalMs: 30_000,
  recover: (system) => untilPaid(system, () => system.linkOf(service, to).hold()),
});

const outage = (process: "payments" | "rabbitmq", name: string, seconds: number): Fault => ({
  name: `${seconds} s ${name}`,
  goalMs: 10_000,
  trials: 1,
  async recover(system) {
    const giveBack = system.takeAway(process);
    // Other tests judge calls that fail; here they are only no part of the backlog.
    const traffic = sendOnSchedule(dueTimes(ordersPerSecond, seconds + 30), async () => {
      await system.load.placeOrder().catch(() => {});
    });
    await pause(seconds * 1_000);
    const ready = system.ready(process);
    giveBack();
    await ready;
    const readyMs = performance.now();
    await eventually(async () => (await system.countWaiting(usualWaitMs)) === 0);
    const tookMs = performance.now() - readyMs;
    await traffic;
    return tookMs;
  },
});

/** Returns how long after `fault` an order that is placed from then on has been paid. */
async function untilPaid(system: RecoveringSystem, fault: () => void): Promise<number> {
  fault();
  const startMs = performance.now();
  let orderId: string | undefined;
  await eventually(async () => {
    orderId = await system.load.placeOrder().catch(() => undefined);
    return orderId !== undefined;
  });
  await eventually(() => system.isPaid(orderId ?? ""));
  return performance.now() - startMs;
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + recoveryTimeoutMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`no recovery in ${recoveryTimeoutMs / 1_000} s`);
    await pause(pollIntervalMs);
  }
}

async function main(stop: AbortController): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean" },
      quick: { type: "boolean" },
      trials: { type: "string" },
      only: { type: "string" },
    },
  });
  if (values.help) return console.log(usage);
  const trials = Number(values.trials ?? (values.quick ? 1 : 5));
  const seconds = values.quick ? 10 : 60;
  const faults: readonly Fault[] = [
    killed("orders killed", "orders", 5_000),
    killed("payments killed", "payments", 5_000),
    killed("broker killed", "rabbitmq", 20_000),
    killed("database killed", "postgres", 20_000),
    halfOpen("orders", "DATABASE_URL", "half-open link of orders to the database"),
    halfOpen("payments", "DATABASE_URL", "half-open link of payments to the database"),
    halfOpen("orders", "AMQP_URL", "half-open link of orders to the broker"),
    halfOpen("payments", "AMQP_URL", "half-open link of payments to the broker"),
    outage("payments", "without payments, caught up", seconds),
    outage("rabbitmq", "without the broker, caught up", seconds),
  ].filter(({ name }) => name.includes(values.only ?? ""));

  const progress = startProgress();
  const log = progress.line;
  await using system = await startRecoveringSystem({ signal: stop.signal, log });
  const rows: Record<string, string | number>[] = [];
  for (const { name, goalMs, recover, trials: own } of faults) {
    const tookMs: number[] = [];
    for (let trial = 1; trial <= (own ?? trials); trial += 1) {
      await pause(calmMs);
      tookMs.push(await recover(system));
      log(`${name}: ${inSeconds(tookMs.at(-1) ?? 0)} s`);
    }
    rows.push({
      fault: name,
      trials: tookMs.length,
      "p50 s": inSeconds(percentile(tookMs, 0.5)),
      "p99 s": inSeconds(percentile(tookMs, 0.99)),
      "max s": inSeconds(Math.max(...tookMs)),
      "goal s": goalMs / 1_000,
      met: Math.max(...tookMs) <= goalMs ? "yes" : "NO",
    });
  }
  console.table(rows);
}

function inSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

const stop = new AbortController();
abortOnStop(stop);
await main(stop);
process.exit();
