import assert from "node:assert/strict";
import type { ServiceName, System } from "../system/system.ts";
import type { History } from "./history.ts";
import { readTruth } from "./truth.ts";
import { violationsOf } from "./violations.ts";

/**
 * Returns the violations after `sql` in a service's database, in a transaction that is rolled back.
 */
export async function violationsAfter(
  { databases, broker }: System,
  history: History,
  { service, sql }: { readonly service: ServiceName; readonly sql: string },
): Promise<readonly string[]> {
  const client = await databases[service].connect();
  try {
    await client.query("BEGIN");
    await client.query(sql);
    const truth = await readTruth({ databases: { ...databases, [service]: client }, broker });
    return violationsOf(truth, history);
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

/** Fails unless each of the patterns is found among the violations. */
export function assertFound(violations: readonly string[], ...expected: readonly RegExp[]): void {
  for (const pattern of expected) {
    assert.ok(
      violations.some((violation) => pattern.test(violation)),
      `${pattern} is not among ${JSON.stringify(violations, undefined, 1)}`,
    );
  }
}
