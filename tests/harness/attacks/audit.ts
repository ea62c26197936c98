import { eventually } from "@settle/chassis/testing";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import type { Pool } from "pg";
import { readWaiting } from "../checker/truth.ts";
import { deadLetterQueues, depthOf, onBroker } from "../system/queues.ts";
import { ordersAnswered, type Tally } from "./attack.ts";
import type { AttackedSystem } from "./attacked-system.ts";
import type { AnsweredOrder } from "./good-traffic.ts";

const restTimeoutMs = 60_000;

/**
 * Waits until nothing is under way, and returns what is wrong with the stored data; empty if nothing
 * is: each answered order of `answered` and of the attacks is there once and settled; orders and
 * payments are one to one; each balance is the sum of its entries and not negative, and all
 * movements sum to zero; outboxes and queues are empty, and there are no dead letters.
 */
export async function audit(
  { databases, adminUrl }: Pick<AttackedSystem, "databases" | "adminUrl">,
  answered: readonly AnsweredOrder[],
  attacks: ReadonlyMap<string, Tally>,
): Promise<readonly string[]> {
  const { orders, payments } = databases;
  const left = async () => {
    const pending = await count(orders, `orders WHERE status = ${OrderStatus.PENDING_PAYMENT}`);
    const outboxes = (await count(orders, "outbox")) + (await count(payments, "outbox"));
    const waiting = [...(await readWaiting(adminUrl)).values()].reduce((a, b) => a + b, 0);
    return { pending, outboxes, waiting };
  };
  await eventually(
    "nothing is under way",
    async () => {
      const { pending, outboxes, waiting } = await left();
      return pending + outboxes + waiting === 0 ? true : undefined;
    },
    restTimeoutMs,
  ).catch(() => {});

  const { pending, outboxes, waiting } = await left();
  const stored = await one(
    orders,
    `SELECT count(orders.id)::int AS as_asked FROM unnest($1::uuid[], $2::text[], $3::bigint[])
       AS asked (id, user_id, amount) JOIN orders ON orders.id = asked.id
       AND orders.user_id = asked.user_id AND orders.amount_minor = asked.amount
       AND orders.status = ${OrderStatus.PAID}`,
    [
      answered.map(({ id }) => id),
      answered.map(({ userId }) => userId),
      answered.map(({ amountMinor }) => amountMinor),
    ],
  );
  const digest = (id: string) =>
    `sum(hashtextextended(concat_ws(' ', ${id}, user_id, amount_minor, currency), 0))::text`;
  const placed = await one(orders, `SELECT count(*)::int, ${digest("id")} AS digest FROM orders`);
  const paid = await one(
    payments,
    `SELECT count(*)::int, ${digest("order_id")} AS digest,
       count(*) FILTER (WHERE outcome = ${PaymentOutcome.PAID})::int AS paid,
       (SELECT count(*)::int FROM ledger_entries
        WHERE order_id IS NOT NULL AND sequence IS NOT NULL) AS debits,
       (SELECT count(*)::int FROM accounts LEFT JOIN (
          SELECT account, sum(amount_minor) AS total FROM ledger_entries GROUP BY account
        ) AS entries ON account = user_id
        WHERE balance_minor <> coalesce(total, 0) OR balance_minor < 0) AS unbalanced,
       (SELECT coalesce(sum(amount_minor), 0)::text FROM ledger_entries) AS money
     FROM payments`,
  );
  const dead = await onBroker(adminUrl, async (channel) => {
    let letters = 0;
    for (const database of [orders, payments]) letters += await count(database, "dead_letters");
    for (const queue of deadLetterQueues) letters += (await depthOf(channel, queue)).waiting;
    return letters;
  });
  const ofAttacks: [holds: boolean, wrong: string][] = [];
  for (const [name, { [ordersAnswered]: expected = 0 }] of attacks) {
    const found = await count(orders, `orders WHERE description = '${name}'`);
    ofAttacks.push([
      found >= expected,
      `${expected} orders of ${name} were answered, ${found} are stored`,
    ]);
  }
  const checks: readonly (readonly [holds: boolean, wrong: string])[] = [
    [
      stored.as_asked === answered.length,
      `${answered.length} good orders were answered, ${stored.as_asked} are stored and paid`,
    ],
    ...ofAttacks,
    [pending === 0, `${pending} orders are not settled`],
    [placed.digest === paid.digest, `${placed.count} orders and ${paid.count} payments differ`],
    [paid.debits === paid.paid, `${paid.debits} debits for ${paid.paid} paid orders`],
    [paid.unbalanced === 0, `${paid.unbalanced} balances differ from their entries`],
    [paid.money === "0", `all movements sum to ${paid.money}`],
    [outboxes === 0, `${outboxes} events are in the outboxes`],
    [waiting === 0, `${waiting} messages are in the queues`],
    [dead === 0, `${dead} messages are dead letters`],
  ];
  return checks.filter(([holds]) => !holds).map(([, wrong]) => wrong);
}

async function one(pool: Pool, sql: string, values: unknown[] = []) {
  return (await pool.query<Record<string, unknown>>(sql, values)).rows[0] ?? {};
}

async function count(pool: Pool, from: string): Promise<number> {
  return Number((await one(pool, `SELECT count(*)::int AS n FROM ${from}`)).n);
}
