/**
 * `npm run bench:against -- <checkout> [<pairs>]`: compares the throughput of this checkout with that
 * of another one. Both systems run side by side and are saturated in alternation (ABBA), so that a
 * drift of the machine affects both alike.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runUntilStopped } from "../tools/local/process/stop-signal.ts";
import { createLoad } from "./load.ts";
import { readPairs, spread } from "./pairs.ts";
import { startProgress } from "./progress.ts";
import { median } from "./statistics.ts";
import { startBenchSystem, thisCheckout } from "./system.ts";
import { saturate } from "./throughput.ts";

const defaultPairs = 6;
const accounts = 10_000;
const connections = 128;
const warmUpS = 10;
const secondsPerRun = 15;

const usage = `npm run bench:against -- <checkout> [<pairs>]

Prints the paid orders per second of this checkout and of another one, in which npm install has run, at
saturation with ${connections} connections, and their ratio, as median (min - max) over the pairs; the CPU time of
each part per order; and the largest memory of each service. With ${defaultPairs} pairs (the default), it takes about six minutes. Needs Linux for the
memory. The machine should be idle otherwise.`;

/** Starts the system of a checkout, with accounts, and warms it up. */
async function prepare(root: string, stop: AbortController) {
  const { signal } = stop;
  const name = root === thisCheckout ? "this" : "other";
  const log = (line: string) => progress.line(`${name}: ${line}`);
  const system = await startBenchSystem({
    root,
    profileFolder: undefined,
    serviceEnv: {},
    signal,
    log,
  });
  system.broken.catch((error: unknown) => stop.abort(error));
  const load = createLoad({ ...system, accounts });
  await progress.during(() => `${name}: ${load.accountsCreated} accounts`, load.createAccounts());
  const run = (seconds: number) => saturate({ system, load, connections, seconds });
  await progress.during(() => `${name}: warming up`, run(warmUpS));
  const cpu = new Map<string, readonly number[]>();
  return {
    async measure(): Promise<number> {
      const { paidPerSecond, cpuMsPerOrder, faults } = await run(secondsPerRun);
      if (faults.length > 0)
        throw new Error(`The figures of ${name} are void: ${faults.join("; ")}`);
      for (const [part, ms] of Object.entries(cpuMsPerOrder)) {
        cpu.set(part, [...(cpu.get(part) ?? []), ms]);
      }
      return paidPerSecond;
    },
    /** The CPU time of each part per order, in milliseconds, as the median of the runs. */
    cpu: () => Array.from(cpu, ([part, runs]) => `${part} ${median(runs).toFixed(3)}`),
    /** The peak of resident memory of each service in megabytes. */
    memory: () =>
      ["orders", "payments"].map((service) => {
        const status = readFileSync(`/proc/${system.pids.get(service)}/status`, "utf8");
        return `${service} ${Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024)} MB`;
      }),
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}

async function compare(other: string, pairs: number, stop: AbortController): Promise<void> {
  await using here = await prepare(thisCheckout, stop);
  await using there = await prepare(other, stop);
  const [own, others]: [number[], number[]] = [[], []];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const measureHere = async () => own.push(await here.measure());
    const measureThere = async () => others.push(await there.measure());
    const inOrder = [measureHere, measureThere];
    for (const measure of pair % 2 === 1 ? inOrder : inOrder.toReversed()) await measure();
    progress.line(`pair ${pair} of ${pairs}: ${own.at(-1)} here, ${others.at(-1)} there`);
  }
  const ratios = own.map((speed, index) => speed / (others[index] ?? 0));
  for (const [name, side, speeds] of [
    ["here", here, own],
    ["there", there, others],
  ] as const) {
    console.log(`paid orders/s ${name.padEnd(8)}${spread(speeds, 0)}`);
    console.log(`  CPU, ms per order   ${side.cpu().join(", ")}`);
    console.log(`  peak memory         ${side.memory().join(", ")}`);
  }
  console.log(`ratio                 ${spread(ratios, 3)}`);
}

const [folder = "", ...rest] = process.argv.slice(2);
const pairs = readPairs(usage, defaultPairs, folder.startsWith("-") ? [folder] : rest);
const other = resolve(folder);
if (folder === "" || !existsSync(join(other, "tools/local/scratch-stack.ts"))) {
  console.error("The first argument must be the folder of another checkout; see --help");
  process.exit(1);
}
const progress = startProgress();
await runUntilStopped((stop) => compare(other, pairs, stop));
