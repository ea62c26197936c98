import type { Load } from "./load.ts";
import { createWallClock, dueTimes, sendOnSchedule } from "./schedule.ts";
import { settlingCommits, untilAllSettled } from "./settled.ts";
import { percentile, round } from "./statistics.ts";
import type { BenchSystem } from "./system.ts";

const ordersPerSecond = 20;

/** The time from sending a request to the commit that settled its order, in milliseconds. */
export type Latency = {
  readonly orders: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/**
 * Places orders on a fixed schedule and, once all have settled, reads the commit times from the
 * tables. No order is queried while it is in progress.
 */
export async function measureLatency(options: {
  readonly load: Load;
  readonly system: BenchSystem;
  readonly seconds: number;
}): Promise<Latency> {
  const { load, system, seconds } = options;
  const nowMs = createWallClock();
  const sentMs = new Map<string, number>();
  await sendOnSchedule(dueTimes(ordersPerSecond, seconds), async () => {
    const startMs = nowMs();
    sentMs.set(await load.placeOrder(), startMs);
  });
  await untilAllSettled(system);
  const settledMs = await settlingCommits(system.orders, [...sentMs.keys()]);
  const took = Array.from(sentMs, ([id, startMs]) => (settledMs.get(id) ?? Number.NaN) - startMs);
  if (took.some(Number.isNaN)) throw new Error("an accepted order is not paid");
  return {
    orders: took.length,
    p50Ms: round(percentile(took, 0.5)),
    p99Ms: round(percentile(took, 0.99)),
    maxMs: round(percentile(took, 1)),
  };
}
