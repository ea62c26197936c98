import type { Logger } from "pino";

const summaryIntervalMs = 60_000;
const maxCauses = 100;

/** Writes the lines of faults that last; see {@link steadyLogOf}. */
export type SteadyLog = {
  /** Returns whether the line was written at its level: whether the fault is a new one. */
  warn(fields: object, message: string, cause?: string): boolean;
  /** As {@link SteadyLog.warn}, for faults that need somebody to act. */
  error(fields: object, message: string, cause?: string): boolean;
};

const steadyLogs = new WeakMap<Logger, SteadyLog>();

/**
 * Returns the log of faults that are met again and again while they last: once per event, call or
 * attempt. The first line is written at once. What repeats it is written at debug level, and counted
 * in one line a minute, with the newest fields and `repeats`. After a minute without a repeat, the
 * fault is a new one again.
 *
 * A fault is told from others by its message and its `cause`; at most 100 are told apart at a time.
 * The same log is returned for the same `log`.
 */
export function steadyLogOf(log: Logger): SteadyLog {
  const known = steadyLogs.get(log);
  if (known) return known;
  const created = createSteadyLog(log, summaryIntervalMs);
  steadyLogs.set(log, created);
  return created;
}

/** Creates a log as {@link steadyLogOf} describes, with another interval. */
export function createSteadyLog(log: Logger, intervalMs: number): SteadyLog {
  const faults = new Map<string, { repeats: number; fields: object }>();
  const writeAt =
    (level: "warn" | "error") =>
    (fields: object, message: string, cause = ""): boolean => {
      const key = faults.size < maxCauses ? `${message} ${cause}` : message;
      const lasting = faults.get(key);
      if (lasting) {
        lasting.repeats += 1;
        lasting.fields = fields;
        log.debug(fields, message);
        return false;
      }
      const fault = { repeats: 0, fields };
      faults.set(key, fault);
      log[level](fields, message);
      const timer = setInterval(() => {
        if (fault.repeats === 0) {
          clearInterval(timer);
          faults.delete(key);
        } else {
          log[level]({ ...fault.fields, repeats: fault.repeats }, message);
          fault.repeats = 0;
        }
      }, intervalMs);
      timer.unref();
      return true;
    };
  return { warn: writeAt("warn"), error: writeAt("error") };
}
