import type { Logger } from "pino";
import { steadyLogOf } from "./steady-log.ts";

/** The source of time of a service; tests pass their own. */
export type Clock = {
  /** The time in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds since an arbitrary moment, for durations only; never jumps. */
  readonly monotonicMs: () => number;
};

/** The clock of this machine. Its time jumps when it is set. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** By how much clocks may differ that count as equal. */
export const maxClockDifferenceMs = 5_000;

/** A clock whose time does not jump with that of the machine; see {@link createCheckedClock}. */
export type CheckedClock = Clock & {
  /**
   * The earlier of this clock's time and the machine's. What is old by it is old by both: ask it
   * before something is forgotten.
   */
  readonly earliestMs: () => number;
  /**
   * Compares this clock with `databaseMs`, the database's time in milliseconds since 1970, which was
   * asked for at `askedMs` of the monotonic clock and has just arrived.
   */
  compare(databaseMs: number, askedMs: number): void;
};

/**
 * Creates a clock that carries the time on from the last comparison by the monotonic clock. It starts
 * with the time of `machine`, and with the database's after the first comparison.
 *
 * Later comparisons correct it by what it is off. If it differs by more than
 * {@link maxClockDifferenceMs} from the database, two of three clocks decide: this one, the machine's
 * and the database's. If no two agree, the database's does, as all replicas share it. While machine
 * and database differ, `log` gets an error, repeated once a minute.
 */
export function createCheckedClock(options: {
  readonly machine: Clock;
  readonly log: Logger;
}): CheckedClock {
  const { machine, log } = options;
  let originMs = machine.nowMs() - machine.monotonicMs();
  let isCompared = false;
  const nowMs = () => Math.floor(originMs + machine.monotonicMs());

  return {
    nowMs,
    monotonicMs: machine.monotonicMs,
    earliestMs: () => Math.min(nowMs(), machine.nowMs()),
    compare(databaseMs, askedMs) {
      const monotonicMs = machine.monotonicMs();
      const carriedMs = originMs + monotonicMs;
      const machineMs = machine.nowMs();
      // The database read its clock between the question and the answer, so this much is certain.
      const timeMs = Math.min(
        Math.max(carriedMs, databaseMs),
        databaseMs + Math.max(0, monotonicMs - askedMs),
      );
      const isDatabaseOff =
        isCompared && !isEqual(timeMs, carriedMs) && isEqual(machineMs, carriedMs);
      if (!isDatabaseOff) originMs = timeMs - monotonicMs;
      if (!isEqual(machineMs, timeMs)) {
        steadyLogOf(log).error(
          {
            machineAheadMs: Math.round(machineMs - timeMs),
            used: isDatabaseOff ? "machine" : "database",
          },
          "the clocks of this machine and of the database differ",
        );
      }
      if (isCompared && !isDatabaseOff && !isEqual(timeMs, carriedMs)) {
        log.warn({ byMs: Math.round(timeMs - carriedMs) }, "the time was corrected");
      }
      isCompared = true;
    },
  };
}

function isEqual(oneMs: number, otherMs: number): boolean {
  return Math.abs(oneMs - otherMs) <= maxClockDifferenceMs;
}
