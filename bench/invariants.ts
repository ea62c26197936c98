import { topologyOf } from "@settle/chassis/contract/topology";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { connect } from "amqplib";
import type { Pool } from "pg";
import type { BenchSystem } from "./system.ts";

/**
 * Returns the invariants that are violated after everything has settled; empty if there are none.
 * `accepted` is the number of orders that were accepted.
 */
export async function brokenInvariants(
  system: BenchSystem,
  accepted: number,
): Promise<readonly string[]> {
  const { orders, payments } = system;
  const digest = "sum(hashtextextended(concat_ws(' ', %, user_id, amount_minor, currency), 0))";
  const placed = await one(
    orders,
    `SELECT count(*)::text AS count, ${digest.replace("%", "id")}::text AS digest,
            count(*) FILTER (WHERE status <> ${OrderStatus.PAID})::int AS unpaid,
            (SELECT count(*)::int FROM outbox) AS outbox
     FROM orders`,
  );
  const paid = await one(
    payments,
    `SELECT count(*)::text AS count, ${digest.replace("%", "order_id")}::text AS digest,
            count(*) FILTER (WHERE outcome <> ${PaymentOutcome.PAID})::int AS declined,
            (SELECT count(*)::int FROM outbox) AS outbox,
            (SELECT count(*)::int FROM accounts LEFT JOIN (
               SELECT account, sum(amount_minor) AS total FROM ledger_entries GROUP BY account
             ) AS entries ON account = user_id
             WHERE balance_minor <> coalesce(total, 0)) AS unbalanced,
            (SELECT sum(amount_minor)::text FROM ledger_entries) AS money,
            (SELECT count(*)::text FROM ledger_entries
             WHERE order_id IS NOT NULL AND sequence IS NOT NULL) AS debits
     FROM payments`,
  );
  const queued = await messagesLeft(system.amqpUrl);
  const dead = (await deadLettersIn(orders)) + (await deadLettersIn(payments));
  const checks: readonly (readonly [holds: boolean, broken: string])[] = [
    [placed.count === String(accepted), `${accepted} orders accepted, ${placed.count} stored`],
    [placed.unpaid === 0, `${placed.unpaid} orders are not paid`],
    [paid.declined === 0, `${paid.declined} payments were declined`],
    [placed.digest === paid.digest, "orders and payments are not one to one"],
    [paid.debits === placed.count, `${paid.debits} debits for ${placed.count} orders`],
    [paid.unbalanced === 0, `${paid.unbalanced} balances differ from their entries`],
    [paid.money === "0", `the ledger's sum is ${paid.money}`],
    [placed.outbox === 0 && paid.outbox === 0, "an outbox is not empty"],
    [dead === 0, `there are ${dead} dead letters`],
    [queued === 0, `${queued} messages are left in the queues`],
  ];
  return checks.filter(([holds]) => !holds).map(([, broken]) => broken);
}

async function one(pool: Pool, sql: string): Promise<Record<string, unknown>> {
  return (await pool.query(sql)).rows[0];
}

/** Counts the dead letters in the database. The other checkout of a comparison may have no table of them. */
async function deadLettersIn(pool: Pool): Promise<number> {
  const { found } = await one(pool, "SELECT to_regclass('dead_letters') IS NOT NULL AS found");
  if (!found) return 0;
  return Number((await one(pool, "SELECT count(*) FROM dead_letters")).count);
}

/** Counts the messages in the work and dead-letter queues. */
async function messagesLeft(amqpUrl: string): Promise<number> {
  const connection = await connect(amqpUrl);
  try {
    const channel = await connection.createChannel();
    let count = 0;
    for (const { work, deadLetters } of [topologyOf("orders"), topologyOf("payments")]) {
      for (const queue of [work, deadLetters])
        count += (await channel.checkQueue(queue)).messageCount;
    }
    return count;
  } finally {
    await connection.close();
  }
}
