import assert from "node:assert/strict";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import { depthOf, onBroker } from "../system/queues.ts";
import type { System } from "../system/system.ts";
import type { History } from "./history.ts";
import { readTruth, readWaiting, type Sources } from "./truth.ts";
import { violationsOf } from "./violations.ts";

const restTimeoutMs = 60_000;

/**
 * The timeout of a test that checks a system: long enough for the check to report what is wrong.
 */
export const checkTimeoutMs = 2 * restTimeoutMs;

/**
 * Waits until the system is idle, and fails unless all stored data is consistent and agrees with
 * what the clients saw. The message lists the violations, with ids.
 */
export async function assertWhole(system: System, history: History): Promise<void> {
  await eventually("nothing is under way", () => isAtRest(system), restTimeoutMs).catch(() => {
    // Work that is still in progress is among the violations, with its ids.
  });
  const violations = violationsOf(await readTruth(system), history);
  assert.deepEqual([...violations, ...system.unexplainedExits], []);
}

/**
 * Kills all services, so that their unsettled messages return to the broker, and then does the same
 * as {@link assertWhole}: no message may be left unsettled.
 */
export async function assertWholeAfterwards(system: System, history: History): Promise<void> {
  await assertWhole(system, history);
  await system.killAll();
  await onBroker(system.broker.adminUrl, async (channel) => {
    for (const service of ["orders", "payments"]) {
      await eventually(`the consumers of ${service} are gone`, async () =>
        (await depthOf(channel, topologyOf(service).work)).consumers === 0 ? true : undefined,
      );
    }
  });
  await assertWhole(system, history);
}

/** Returns true if the system is idle, otherwise undefined. Queries only a few counts. */
async function isAtRest({ databases, broker }: Sources): Promise<true | undefined> {
  const count = async (service: "orders" | "payments", sql: string) =>
    Number((await databases[service].query<{ count: bigint }>(sql)).rows[0]?.count);
  const pending = await count("orders", "SELECT count(*) FROM orders WHERE settle_time IS NULL");
  if (pending > 0) return undefined;
  for (const service of ["orders", "payments"] as const) {
    if ((await count(service, "SELECT count(*) FROM outbox")) > 0) return undefined;
  }
  const orders = await count("orders", "SELECT count(*) FROM orders");
  const cancelled = await count(
    "orders",
    `SELECT count(*) FROM orders WHERE status = ${OrderStatus.CANCELLED}`,
  );
  const refunds = await count(
    "payments",
    `SELECT count(*) FROM ledger_entries WHERE kind = ${LedgerEntryKind.REFUND} AND sequence IS NOT NULL`,
  );
  // Payments publishes a result for each event, and an event for each refund.
  const told = await count("payments", "SELECT count(*) FROM inbox");
  const answered = await count("orders", "SELECT count(*) FROM inbox");
  if (told < orders + cancelled || answered !== told + refunds) return undefined;
  const waiting = await readWaiting(broker.adminUrl);
  return [...waiting.values()].every((messages) => messages === 0) ? true : undefined;
}
