import { setTimeout as pause } from "node:timers/promises";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { Pool } from "pg";
import type { BenchSystem } from "./system.ts";

const settleTimeoutMs = 60_000;
const pollIntervalMs = 50;

/**
 * When the transaction that wrote the row's present state was committed, in milliseconds since 1970:
 * for an order that is PAID, the one that settled it. PostgreSQL takes the time as it writes the
 * commit record, just before it flushes it.
 */
const committedMs = "extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000";

/** Waits until no order is pending and no event unpublished any more; throws after a minute. */
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
    if (performance.now() > deadlineMs) throw new Error(`${unsettled} orders or events stay open`);
    await pause(pollIntervalMs);
  }
}

/** For each of the orders, when the commit that settled it came. */
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
  /** Orders that were accepted by its end but paid after it. */
  readonly backlog: number;
};

/**
 * What the tables say about a window of time that was followed by a complete settling, with nothing
 * accepted meanwhile.
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

/** How many rows of the table, one per order, a commit inside the window wrote on average. */
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
