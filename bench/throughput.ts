import { readCpuSeconds } from "./cpu.ts";
import { brokenInvariants } from "./invariants.ts";
import type { Load } from "./load.ts";
import { createWallClock, sendInLanes } from "./schedule.ts";
import { readFlow, rowsPerCommit, untilAllSettled } from "./settled.ts";
import { round } from "./statistics.ts";
import type { BenchSystem } from "./system.ts";

const rampUpMs = 1_000;
const maxBacklogS = 1;

export type Saturation = {
  readonly connections: number;
  readonly paidPerSecond: number;
  /** How long the system needs after the end, at this speed, for the accepted orders. */
  readonly backlogS: number;
  readonly ordersPerCommit: {
    readonly creating: number;
    readonly paying: number;
    readonly settling: number;
  };
  /** Of all kinds, from PostgreSQL's statistics, which lag by up to a second. */
  readonly commitsPerOrder: number;
  /** By process, in milliseconds. */
  readonly cpuMsPerOrder: Readonly<Record<string, number>>;
  /** Why the figures are void; empty if they are valid. */
  readonly faults: readonly string[];
};

/**
 * Keeps `connections` requests in flight for `seconds`, waits until everything has settled, and
 * reads the number of paid orders from the tables.
 */
export async function saturate(options: {
  readonly system: BenchSystem;
  readonly load: Load;
  readonly connections: number;
  readonly seconds: number;
}): Promise<Saturation> {
  const { system, load, connections, seconds } = options;
  const nowMs = createWallClock();
  const accepted = load.accepted;
  const before = await readCosts(system);
  const startMs = nowMs();
  await sendInLanes(connections, seconds, async () => {
    await load.placeOrder();
  });
  const endMs = nowMs();
  const after = await readCosts(system);
  await untilAllSettled(system);
  const flow = await readFlow(system.orders, startMs + rampUpMs, endMs);
  const paidPerSecond = (flow.paid * 1_000) / (endMs - startMs - rampUpMs);
  const backlogS = flow.backlog / paidPerSecond;
  const per = (value: number) => round(value / (load.accepted - accepted));
  const faults = [...(await brokenInvariants(system, load.accepted))];
  if (backlogS >= maxBacklogS) faults.push(`a backlog of ${round(backlogS)} s`);
  return {
    connections,
    paidPerSecond: round(paidPerSecond, 4),
    backlogS: round(backlogS),
    ordersPerCommit: {
      creating: round(await rowsPerCommit(system.orders, "idempotency_keys", startMs, endMs)),
      paying: round(await rowsPerCommit(system.payments, "payments", startMs, endMs)),
      settling: round(await rowsPerCommit(system.orders, "orders", startMs, endMs)),
    },
    commitsPerOrder: per(after.commits - before.commits),
    cpuMsPerOrder: Object.fromEntries(
      Array.from(after.cpuS, ([name, used]) => [
        name,
        per((used - (before.cpuS.get(name) ?? 0)) * 1_000),
      ]),
    ),
    faults,
  };
}

async function readCosts({ orders, pids }: BenchSystem) {
  const { user, system } = process.cpuUsage();
  const { rows } = await orders.query(
    `SELECT sum(xact_commit)::int AS commits FROM pg_stat_database
     WHERE datname IN ('orders', 'payments')`,
  );
  return {
    commits: rows[0].commits as number,
    cpuS: new Map([...readCpuSeconds(pids), ["load", (user + system) / 1e6] as const]),
  };
}
