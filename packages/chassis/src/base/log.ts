import { type Logger, pino } from "pino";

export type { Logger };

/**
 * Writes JSON lines to standard output, each with the service's name. Levels are pino's; `silent`
 * writes nothing.
 */
export function createLog(service: string, level: string): Logger {
  return pino({
    base: { service },
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
