import { setTimeout as pause } from "node:timers/promises";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { Pool } from "pg";
import type { BenchSystem } from "./system.ts";

const settleTimeoutMs = 60_000;
const pollIntervalMs = 50;

/**
 * The commit time of the transaction that wrote the current version of the row, in milliseconds
 * since 1970: for a PAID order, of the transaction that settled it. PostgreSQL takes the time when
 * it writes the commit record, just before flushing it.
 */
const committedMs = "extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000";

/** Waits until no order is pending and no event is unpublished; throws after a minute. */
export async function untilAllSettled({ orders, payments }: BenchSystem): Promise<void> {
  const deadlineMs = performance.now() + settleTimeoutMs;
  const left = async (pool: Pool, sql: string) =>
    (await pool.query<{ count: number }>(`SELECT count(*)::int FROM ${sql}`)).rows[0]?.count ?? 0;
  for (;;) {
    const unsettled =
      (await left(orders, "outbox")) +
      (await left(payments, "outbox")) +
      (await left(orders, `orders WHERE status = ${OrderStatus.PENDING_PAYMENT}`));
    if (unsettled === 0) return;
    if (performance.now() > deadlineMs)
      throw new Error(`${unsettled} orders or events have not settled`);
    await pause(pollIntervalMs);
  }
}

/** Returns the time of the commit that settled each of the orders. */
export async function settlingCommits(
  orders: Pool,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await orders.query<{ id: string; committed_ms: number }>(
    `SELECT id, (${committedMs})::float8 AS committed_ms FROM orders
     WHERE id = ANY($1::uuid[]) AND status = $2`,
    [ids, OrderStatus.PAID],
  );
  return new Map(rows.map((row) => [row.id, row.committed_ms]));
}

export type Flow = {
  /** Orders paid by commits inside the window. */
  readonly paid: number;
  /** Orders that were accepted before its end but paid after it. */
  readonly backlog: number;
};

/**
 * Reads the flow in a time window from the tables. After the window, everything must have settled
 * and nothing may have been accepted.
 */
export async function readFlow(orders: Pool, fromMs: number, toMs: number): Promise<Flow> {
  const { rows } = await orders.query<Flow>(
    `SELECT count(*) FILTER (WHERE at <= $2)::int AS paid,
            count(*) FILTER (WHERE at > $2)::int AS backlog
     FROM (SELECT ${committedMs} AS at FROM orders) WHERE at >= $1`,
    [fromMs, toMs],
  );
  return rows[0] ?? { paid: 0, backlog: 0 };
}

/** Returns how many rows of the table, one per order, a commit in the window wrote on average. */
export async function rowsPerCommit(
  pool: Pool,
  table: "orders" | "payments" | "idempotency_keys",
  fromMs: number,
  toMs: number,
): Promise<number> {
  const { rows } = await pool.query<{ mean: number }>(
    `SELECT (count(*) / greatest(count(DISTINCT commit), 1))::float8 AS mean
     FROM (SELECT xmin::text AS commit, ${committedMs} AS at FROM ${table})
     WHERE at BETWEEN $1 AND $2`,
    [fromMs, toMs],
  );
  return rows[0]?.mean ?? 0;
}
