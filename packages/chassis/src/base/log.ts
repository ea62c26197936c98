import { type Logger, pino } from "pino";

export type { Logger };

/**
 * Creates a log that writes JSON lines with the service's name to standard output. The levels are
 * those of pino; `silent` writes nothing.
 */
export function createLog(service: string, level: string): Logger {
  return pino({
    base: { service },
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
