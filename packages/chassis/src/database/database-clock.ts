import type { CheckedClock } from "../base/clock.ts";
import type { Database } from "./database.ts";

/** SQL for the time of the database's clock, in milliseconds since 1970; bigint. */
export const databaseNowMs = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** Compares `clock` with that of the database. */
export async function compareClocks(database: Database, clock: CheckedClock): Promise<void> {
  const askedMs = clock.monotonicMs();
  const [row] = await database.query<{ now_ms: string }>(`SELECT ${databaseNowMs} AS now_ms`, []);
  clock.compare(Number(row?.now_ms), askedMs);
}
