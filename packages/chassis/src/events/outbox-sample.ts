import type { CheckedClock } from "../base/clock.ts";
import type { Database } from "../database/database.ts";
import { databaseNowMs } from "../database/database-clock.ts";
import { openDeadLetters, outboxAge, outboxEvents } from "../metrics/metrics.ts";

// A claim that ends later was made while the database's clock was wrong.
const longestClaimMs = 60_000;
const maxFreed = 500;
const maxLettersCounted = 10_000;

/**
 * Returns how many events the outbox holds, up to `maxDepth`, and measures the age of the oldest and
 * the number of open dead letters. The same query compares `clock` with
 * the database's, and frees a limited number of claims that end later than any claim can.
 */
export async function sampleOutbox(
  database: Database,
  clock: Pick<CheckedClock, "monotonicMs" | "compare">,
  maxDepth: number,
): Promise<number> {
  const askedMs = clock.monotonicMs();
  const [row] = await database.query<{
    depth: string;
    age_s: string | null;
    letters: string;
    now_ms: string;
  }>(
    `WITH freed AS (
       UPDATE outbox SET claimed_until = now() WHERE id = ANY(ARRAY(
         SELECT id FROM outbox WHERE claimed_until > now() + $2 * interval '1 millisecond'
         LIMIT $3 FOR UPDATE SKIP LOCKED
       ))
     )
     SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS waiting) AS depth,
            (SELECT extract(epoch FROM now() - create_time) FROM outbox ORDER BY id LIMIT 1) AS age_s,
            (SELECT count(*) FROM (SELECT FROM dead_letters WHERE state = 1 LIMIT $4) AS open) AS letters,
            ${databaseNowMs} AS now_ms`,
    [maxDepth, longestClaimMs, maxFreed, maxLettersCounted],
  );
  clock.compare(Number(row?.now_ms), askedMs);
  outboxEvents.set(Number(row?.depth));
  outboxAge.set(Math.max(0, Number(row?.age_s)));
  openDeadLetters.set(Number(row?.letters));
  return Number(row?.depth);
}
