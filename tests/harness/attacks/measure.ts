import { setTimeout as pause } from "node:timers/promises";
import { percentile } from "../../../bench/statistics.ts";
import type { Attack, Form, Goals, Tally, User } from "./attack.ts";
import type { AttackedSystem } from "./attacked-system.ts";
import type { GoodTraffic, Sample } from "./good-traffic.ts";
import type { HealthMiss, HealthWatch } from "./health-watch.ts";
import type { MemoryWatch } from "./memory-watch.ts";
import { broken, runAttacker } from "./start-attacker.ts";

export const attackerAddress = "127.0.0.66";
const maxListed = 5;
/** After an attack, good calls must be fine for this long before it counts as over. */
const calmMs = 3_000;
const recoveryTimeoutMs = 60_000;
const checkEveryMs = 100;
/** A call this many times slower than the quiet p99, and than `slowFromMs`, has not recovered. */
const slowFactor = 4;
const slowFromMs = 200;

/** What good callers saw in a time window. */
export type Window = {
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From CreateOrder until the order was paid. */
  readonly paidP50Ms: number;
  readonly paidP99Ms: number;
  /** The number of failures by reason, the most frequent first. */
  readonly reasons: readonly string[];
};

/** The measurements of one attack. */
export type Measurement = {
  readonly attack: string;
  readonly size: string;
  readonly goals: Goals;
  readonly seconds: number;
  readonly quiet: Window;
  readonly attacked: Window;
  readonly healthMisses: number;
  /** The most resident memory of each part, in megabytes. */
  readonly peakMb: Readonly<Record<string, number>>;
  /**
   * The time after the attack, or after its marks the longest, in which good calls failed or were
   * slow. Infinity if it did not end within a minute.
   */
  readonly recoveryS: number;
  readonly did: Tally;
  /** What is wrong with what it did. */
  readonly faults: readonly string[];
};

/** What watches the system while it is attacked. */
export type Observers = {
  readonly traffic: GoodTraffic;
  readonly health: HealthWatch;
  readonly memory: MemoryWatch;
};

/** Measures good traffic without an attack for `seconds`. */
export async function measureQuiet({ traffic }: Observers, seconds: number): Promise<Window> {
  const fromMs = performance.now();
  await pause(seconds * 1_000);
  const toMs = performance.now();
  await traffic.ended(toMs);
  return windowOf(traffic, fromMs, toMs);
}

/** When an attack ran, and what it did. */
export type AttackRun = {
  readonly startMs: number;
  readonly endMs: number;
  /** When each of its faults began or ended, if it says so. */
  readonly marksMs: readonly number[];
  readonly did: Tally;
};

/** Runs an attack for at least `seconds`, by default its own. */
export async function runAttack(options: {
  readonly attack: Attack;
  readonly form: Form;
  readonly seconds?: number | undefined;
  readonly system: AttackedSystem;
  readonly attackers: readonly User[];
}): Promise<AttackRun> {
  const { attack, form, system, attackers } = options;
  const { seconds = attack.in(form).seconds } = options;
  const target = { port: system.port, address: attackerAddress, users: attackers };
  const marksMs: number[] = [];
  const mark = () => marksMs.push(performance.now());
  const startMs = performance.now();
  const signal = AbortSignal.timeout(seconds * 1_000);
  const running =
    attack.by === "caller"
      ? runAttacker({ name: attack.name, form, target, signal })
      : attack
          .in(form)
          .run({ ...system, ...target, mark }, signal)
          .catch((error: unknown) => ({ [`${broken}: ${error}`]: 1 }));
  const [did] = await Promise.all([running, pause(seconds * 1_000)]);
  return { startMs, endMs: performance.now(), marksMs, did };
}

/** Runs an attack beside good traffic, and waits until good calls are fine again. */
export async function measureAttack(
  options: Parameters<typeof runAttack>[0] & {
    readonly observers: Observers;
    readonly quiet: Window;
  },
): Promise<Measurement> {
  const { attack, form, quiet } = options;
  const { traffic, health, memory } = options.observers;
  const { startMs, endMs, marksMs, did } = await runAttack(options);
  const isBad = badnessOf(quiet);
  const recovered = await untilRecovered(traffic, endMs, isBad);
  await traffic.ended(endMs);
  const nowMs = performance.now();
  // The end counts as a mark, unless the attack has set its own.
  const marks = marksMs.length > 0 ? marksMs : [endMs];
  return {
    attack: attack.name,
    size: attack.in(form).size,
    goals: attack.goals,
    seconds: (endMs - startMs) / 1_000,
    quiet,
    attacked: windowOf(traffic, startMs, endMs),
    healthMisses: missesOf(health, startMs, nowMs).length,
    peakMb: memory.peakMb(startMs, nowMs),
    recoveryS: recovered
      ? longestRecoveryMs(samplesOf(traffic), isBad, marks) / 1_000
      : Number.POSITIVE_INFINITY,
    did,
    faults: faultsOf(attack, did),
  };
}

/** What is wrong with what an attack did: also that it did not run. */
export function faultsOf(attack: Attack, did: Tally): readonly string[] {
  const failures = Object.keys(did).filter((what) => what.startsWith(broken));
  return [...failures, ...(failures.length > 0 ? [] : attack.faultsOf(did))];
}

/** The missed polls of a time window. */
export function missesOf(health: HealthWatch, fromMs: number, toMs: number): readonly HealthMiss[] {
  return health.misses.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}

/** Sums up the calls and payments that were due in a time window and have ended. */
export function windowOf({ calls, payments }: GoodTraffic, fromMs: number, toMs: number): Window {
  const isInside = ({ dueMs }: Sample) => dueMs >= fromMs && dueMs < toMs;
  const inside = calls.filter(isInside);
  const paid = payments.filter(isInside);
  const failures = [...inside, ...paid].filter(({ failure }) => failure !== undefined);
  const reasons = Map.groupBy(failures, (one) => `${one.kind}, ${one.protocol}: ${one.failure}`);
  return {
    calls: inside.length,
    failed: failures.length,
    p50Ms: percentileOf(inside, 0.5),
    p99Ms: percentileOf(inside, 0.99),
    paidP50Ms: percentileOf(paid, 0.5),
    paidP99Ms: percentileOf(paid, 0.99),
    reasons: Array.from(reasons, ([reason, { length }]) => ({ reason, length }))
      .sort((one, other) => other.length - one.length)
      .slice(0, maxListed)
      .map(({ reason, length }) => `${length} × ${reason.slice(0, 200)}`),
  };
}

function percentileOf(samples: readonly Sample[], p: number): number {
  if (samples.length === 0) return Number.NaN;
  return percentile(
    samples.map(({ tookMs }) => tookMs),
    p,
  );
}

/** A call or payment is bad if it failed, or took far longer than it does when it is quiet. */
function badnessOf(quiet: Window): (sample: Sample) => boolean {
  const limitOf = (p99Ms: number) => Math.max(slowFromMs, slowFactor * (p99Ms || 0));
  const [callMs, paidMs] = [limitOf(quiet.p99Ms), limitOf(quiet.paidP99Ms)];
  return ({ kind, tookMs, failure }) =>
    failure !== undefined || tookMs > (kind === "paid" ? paidMs : callMs);
}

function samplesOf({ calls, payments }: GoodTraffic): readonly Sample[] {
  return [...calls, ...payments];
}

/** Resolves with true once no call has been bad for 3 s, and with false after a minute. */
async function untilRecovered(
  traffic: GoodTraffic,
  endMs: number,
  isBad: (sample: Sample) => boolean,
): Promise<boolean> {
  for (;;) {
    await pause(checkEveryMs);
    const nowMs = performance.now();
    const { calls, payments } = traffic.waitingSince();
    const late = (kind: string) => (dueMs: number) =>
      isBad({ kind, protocol: "REST", dueMs, tookMs: nowMs - dueMs, failure: undefined });
    const isWaiting = calls.some(late("call")) || payments.some(late("paid"));
    const ends = samplesOf(traffic)
      .filter((sample) => isBad(sample) && endOf(sample) > endMs)
      .map(endOf);
    const calmSinceMs = Math.max(endMs, ...ends);
    if (!isWaiting && nowMs - calmSinceMs > calmMs) return true;
    if (nowMs - endMs > recoveryTimeoutMs) return false;
  }
}

/**
 * The longest time from a mark until the end of the last bad call before the next mark. A call that
 * was still fine at the next mark is bad because of what happened there.
 */
export function longestRecoveryMs(
  samples: readonly Sample[],
  isBad: (sample: Sample) => boolean,
  marksMs: readonly number[],
): number {
  const bad = samples.filter(isBad);
  const wasBadAt = (atMs: number, sample: Sample) =>
    isBad({ ...sample, tookMs: atMs - sample.dueMs, failure: undefined });
  return Math.max(
    ...marksMs.map((markMs, at) => {
      const nextMs = marksMs[at + 1] ?? Number.POSITIVE_INFINITY;
      const ends = bad
        .filter((sample) => sample.dueMs < nextMs && endOf(sample) > markMs)
        .filter((sample) => endOf(sample) < nextMs || wasBadAt(nextMs, sample))
        .map((sample) => Math.min(endOf(sample), nextMs));
      return Math.max(0, ...ends.map((end) => end - markMs));
    }),
  );
}

function endOf({ dueMs, tookMs }: Sample): number {
  return dueMs + tookMs;
}
