import type { Measurement, Window } from "./measure.ts";

const p99RatioMax = 2;
/** The memory that a service may use at most. */
export const serviceMemoryMb = 300;
/** Percentiles below this are not compared: timers and the scheduler decide them. */
const comparedFromMs = 5;

const columns = [
  "attack",
  "calls",
  "failed",
  "p50/p99 quiet",
  "attacked",
  "paid quiet",
  "attacked",
  "ratio",
  "health",
  "MB o/p/e",
  "recovery",
  "verdict",
] as const;

/** Returns the goals that the attack did not meet; empty if it met all. */
export function missedGoals(found: Measurement): readonly string[] {
  const { goals, attacked, quiet, healthMisses, recoveryS, peakMb, faults } = found;
  const missed: string[] = [];
  if (!goals.isOutage) {
    if (attacked.failed > 0) missed.push(`${attacked.failed} good calls failed`);
    const [calls, paid] = ratiosOf(attacked, quiet);
    if (calls > p99RatioMax) missed.push(`p99 of calls × ${calls.toFixed(1)}`);
    if (paid > p99RatioMax) missed.push(`p99 until paid × ${paid.toFixed(1)}`);
    if (healthMisses > 0) missed.push(`${healthMisses} health checks missed`);
  }
  if (recoveryS > goals.recoveryS) missed.push(`recovery took ${seconds(recoveryS)}`);
  for (const service of ["orders", "payments"]) {
    const used = peakMb[service] ?? 0;
    if (used > serviceMemoryMb) missed.push(`${service} used ${used} MB`);
  }
  missed.push(...faults);
  return missed;
}

/** Returns the table of all measurements, and below it what each attack did and missed. */
export function tableOf(measurements: readonly Measurement[]): string {
  const rows = [columns, ...measurements.map(rowOf)];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
  return [...lines, "", ...measurements.flatMap(detailsOf)].join("\n");
}

/** Returns the lines about one measurement. */
export function detailsOf(found: Measurement): readonly string[] {
  const did = Object.entries(found.did).map(([what, count]) => `${what} ${count}`);
  return [
    `${found.attack}: ${found.size}`,
    ...(did.length > 0 ? [`  did: ${did.join(", ")}`] : []),
    ...missedGoals(found).map((missed) => `  MISSED ${missed}`),
    ...found.attacked.reasons.map((reason) => `    ${reason}`),
  ];
}

/** Returns the cells of the table in one line. */
export function summaryOf(found: Measurement): string {
  return rowOf(found)
    .map((cell, at) => `${columns[at]} ${cell}`)
    .slice(1)
    .join(", ");
}

function rowOf(found: Measurement): readonly string[] {
  const { attack, quiet, attacked, healthMisses, peakMb, recoveryS } = found;
  const missed = missedGoals(found);
  return [
    attack,
    String(attacked.calls),
    String(attacked.failed),
    pair(quiet.p50Ms, quiet.p99Ms),
    pair(attacked.p50Ms, attacked.p99Ms),
    pair(quiet.paidP50Ms, quiet.paidP99Ms),
    pair(attacked.paidP50Ms, attacked.paidP99Ms),
    ratiosOf(attacked, quiet)
      .map((ratio) => ratio.toFixed(1))
      .join("/"),
    String(healthMisses),
    ["orders", "payments", "envoy"].map((name) => peakMb[name] ?? "?").join("/"),
    seconds(recoveryS),
    missed.length === 0 ? "met" : "MISSED",
  ];
}

function ratiosOf(attacked: Window, quiet: Window): readonly [calls: number, paid: number] {
  const ratio = (now: number, before: number) => now / Math.max(before, comparedFromMs);
  return [ratio(attacked.p99Ms, quiet.p99Ms), ratio(attacked.paidP99Ms, quiet.paidP99Ms)];
}

function pair(p50Ms: number, p99Ms: number): string {
  return `${milliseconds(p50Ms)}/${milliseconds(p99Ms)}`;
}

function milliseconds(value: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(0);
}

function seconds(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)} s` : "> 60 s";
}
