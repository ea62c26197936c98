import type { Logger } from "pino";
import type { Clock } from "./clock.ts";
import { RecentMap } from "./recent-map.ts";

const intervalMs = 60_000;
const maxRemembered = 1_000;

/** Logs that a user has used up a quota. */
export type QuotaLog = (used: {
  readonly userId: string;
  readonly quota: string;
  readonly limit: number;
}) => void;

/** Creates a log with at most one line a minute for a user and a quota. */
export function createQuotaLog(options: { readonly clock: Clock; readonly log: Logger }): QuotaLog {
  const { clock, log } = options;
  const logged = new RecentMap<string, { atMs: number }>(maxRemembered);
  return (used) => {
    const nowMs = clock.monotonicMs();
    const last = logged.use(`${used.quota} ${used.userId}`, () => ({ atMs: -Infinity }));
    if (nowMs - last.atMs < intervalMs) return;
    last.atMs = nowMs;
    log.warn(used, "a user has used up a quota");
  };
}
