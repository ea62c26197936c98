import type { Load } from "./load.ts";
import { type Pgbench, runBaseline } from "./pgbench.ts";
import type { Plan } from "./plan.ts";
import type { Progress } from "./progress.ts";
import { median, round } from "./statistics.ts";
import type { BenchSystem } from "./system.ts";
import { type Saturation, saturate } from "./throughput.ts";

const connectionCounts = [64, 128, 256, 512];
const clientCounts = [4, 8, 16, 32];

/** One measurement of each side, with each number of connections or clients. */
export type Round = {
  readonly system: readonly Saturation[];
  readonly baseline: readonly number[];
};

/** Medians over the rounds, for the best number of connections and of clients. */
export type Comparison = {
  readonly paidPerSecond: number;
  readonly connections: number;
  readonly baselinePerSecond: number;
  readonly clients: number;
  /** The median of the ratios of the rounds. */
  readonly ratio: number;
  /** Why the figures are void; empty if they are valid. */
  readonly faults: readonly string[];
  readonly rounds: readonly Round[];
};

/**
 * Measures the system at saturation and pgbench with the same transactions, in alternation on the
 * same server. Each side is measured at its best number of connections or clients.
 */
export async function compare(options: {
  readonly plan: Plan;
  readonly system: BenchSystem;
  readonly load: Load;
  readonly pgbench: Pgbench;
  readonly progress: Progress;
}): Promise<Comparison> {
  const { plan, system, load, pgbench, progress } = options;
  const rounds: Round[] = [];
  for (let number = 1; number <= plan.rounds; number += 1) {
    progress.line(`round ${number} of ${plan.rounds}`);
    const measured: Saturation[] = [];
    for (const connections of connectionCounts) {
      const run = saturate({ system, load, connections, seconds: plan.systemS });
      const one = await progress.during(() => "the system", run);
      progress.line(`  system, ${connections} connections: ${one.paidPerSecond} paid orders/s`);
      for (const fault of one.faults) progress.line(`    does not count: ${fault}`);
      measured.push(one);
    }
    const baseline: number[] = [];
    for (const clients of clientCounts) {
      const { databaseUrl } = system;
      const run = runBaseline({ pgbench, databaseUrl, clients, seconds: plan.baselineS });
      const perSecond = round(await progress.during(() => "pgbench", run), 4);
      progress.line(`  pgbench, ${clients} clients: ${perSecond} orders/s`);
      baseline.push(perSecond);
    }
    rounds.push({ system: measured, baseline });
  }
  return summarize(rounds);
}

/** Finds the best number of connections and of clients, the same for all rounds. */
export function summarize(rounds: readonly Round[]): Comparison {
  const speedOf = (run: Saturation) => (run.faults.length === 0 ? run.paidPerSecond : 0);
  const system = fastest(rounds.map((one) => one.system.map(speedOf)));
  const baseline = fastest(rounds.map((one) => one.baseline));
  const ratios = system.speeds.map((speed, index) => speed / (baseline.speeds[index] ?? 0));
  return {
    paidPerSecond: median(system.speeds),
    connections: connectionCounts[system.place] ?? 0,
    baselinePerSecond: median(baseline.speeds),
    clients: clientCounts[baseline.place] ?? 0,
    ratio: round(median(ratios)),
    faults: rounds.flatMap((one) => one.system[system.place]?.faults ?? []),
    rounds,
  };
}

/** Returns the index at which the rounds have the highest median speed, and the speeds there. */
function fastest(rounds: readonly (readonly number[])[]): { place: number; speeds: number[] } {
  const places = (rounds[0] ?? []).map((_, place) => ({
    place,
    speeds: rounds.map((speeds) => speeds[place] ?? 0),
  }));
  return places.reduce((best, next) => (median(next.speeds) > median(best.speeds) ? next : best));
}
