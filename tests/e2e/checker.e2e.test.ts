import assert from "node:assert/strict";
import { retryQueueOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { successOf } from "../harness/calls/call.ts";
import { assertWhole, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type History } from "../harness/checker/history.ts";
import { assertFound, violationsAfter } from "../harness/checker/tampering.ts";
import { readTruth } from "../harness/checker/truth.ts";
import { violationsOf } from "../harness/checker/violations.ts";
import { readDeadLetters } from "../harness/system/dead-letters.ts";
import { onBroker, publish } from "../harness/system/queues.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";

describe("the checker", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let paidId: string;
  let declinedId: string;

  before(async () => {
    system = await startSystem();
    await system.startBoth();
    const shopper = createShopper(history, system.call);
    await shopper.fundedAccount("payer", 100n);
    paidId = (await successOf(shopper.createOrder("payer", 60n))).id;
    await assertWhole(system, history);
    declinedId = (await successOf(shopper.createOrder("payer", 60n))).id;
    await shopper.createOrder("payer", 0n);
    await shopper.createAccount("payer");
    await assertWhole(system, history);
  });
  after(() => system?.[Symbol.asyncDispose]());

  const violationsOnce = (service: ServiceName, sql: string, seen: History = history) =>
    violationsAfter(system, seen, { service, sql });

  const id = "[0-9a-f-]{36}";
  const broken: [string, ServiceName, string, ...RegExp[]][] = [
    [
      "a lost entry",
      "payments",
      "DELETE FROM ledger_entries WHERE account = 'payer' AND amount_minor < 0",
      /^account payer: the balance is 40, the entries sum to 100/,
      /^account payer: counts 2 entries and has 1/,
      new RegExp(`^movement ${id}: 1 legs in EUR sum to 60`),
      new RegExp(`^order ${id} .*: debited \\[\\], expected \\[payer -60 EUR\\]`),
    ],
    [
      "a lost movement",
      "payments",
      "DELETE FROM ledger_entries WHERE order_id IS NOT NULL",
      /^account payer: the balance is 40, the entries sum to 100/,
    ],
    [
      "a changed balance",
      "payments",
      "UPDATE accounts SET balance_minor = 41",
      /^account payer: the balance is 41, the entries sum to 40/,
    ],
    [
      "a negative balance",
      "payments",
      `ALTER TABLE accounts DROP CONSTRAINT accounts_balance_minor_check;
       UPDATE accounts SET balance_minor = -20`,
      /^account payer: the balance -20 is negative/,
    ],
    [
      "a deposit without a call",
      "payments",
      `UPDATE accounts SET balance_minor = balance_minor + 5, entry_count = 3;
       INSERT INTO ledger_entries
       SELECT '0190a7e4-0000-7000-8000-000000000001', account, 1, amount, 'EUR', nth, after, NULL, now()
       FROM (VALUES ('payer', 5, 3, 45), ('system:deposits:EUR', -5, NULL, NULL))
         AS leg (account, amount, nth, after)`,
      /^deposit of 5 EUR to payer: booked 1 times, answered OK 0 times, unknown 0/,
    ],
    [
      "a second payment",
      "payments",
      `ALTER TABLE payments DROP CONSTRAINT payments_pkey;
       INSERT INTO payments SELECT * FROM payments`,
      new RegExp(`^order ${id} .*: has 2 payments`),
    ],
    [
      "a second debit",
      "payments",
      `UPDATE accounts SET balance_minor = 30, entry_count = 3;
       INSERT INTO ledger_entries
       SELECT '0190a7e4-0000-7000-8000-000000000001', account, 2, amount, 'EUR', nth, after, paid.id, now()
       FROM (VALUES ('payer', -10, 3, 30), ('system:sales:EUR', 10, NULL, NULL))
         AS leg (account, amount, nth, after),
         (SELECT order_id AS id FROM ledger_entries WHERE order_id IS NOT NULL LIMIT 1) AS paid`,
      new RegExp(`^order ${id} .*: debited \\[payer -60 EUR,payer -10 EUR\\]`),
    ],
    [
      "a lost payment",
      "payments",
      "DELETE FROM payments",
      new RegExp(`^order ${id} .*: has 0 payments`),
    ],
    [
      "a payment without a reason",
      "payments",
      `UPDATE payments SET decline_reason = 0 WHERE outcome = ${PaymentOutcome.DECLINED}`,
      /declined for DECLINE_REASON_INSUFFICIENT_FUNDS, its payment for DECLINE_REASON_UNSPECIFIED/,
    ],
    [
      "a payment of another amount",
      "payments",
      "UPDATE payments SET amount_minor = 59",
      new RegExp(`^order ${id} .*: asks for payer 60 EUR, its payment for payer 59 EUR`),
    ],
    [
      "an account without a call",
      "payments",
      "INSERT INTO accounts VALUES ('ghost', 'EUR', 0, 0, now(), now())",
      /^account ghost: no client created it/,
    ],
    [
      "a lost account",
      "payments",
      "DELETE FROM accounts",
      /^account payer: was answered with OK and is not stored/,
      /^entry .*: there is no account payer/,
    ],
    [
      "an unhandled message",
      "payments",
      "DELETE FROM inbox",
      /^payments handled 0 events, there were 2/,
    ],
    [
      "a paid order with a declined payment",
      "orders",
      `UPDATE orders SET status = ${OrderStatus.PAID}, decline_reason = 0`,
      /ORDER_STATUS_PAID, its payment PAYMENT_OUTCOME_DECLINED/,
      new RegExp(`^order ${id} .*: debited \\[\\], expected \\[payer -60 EUR\\]`),
    ],
    [
      "a declined order with a payment",
      "orders",
      `UPDATE orders SET status = ${OrderStatus.PAYMENT_DECLINED},
       decline_reason = ${DeclineReason.INSUFFICIENT_FUNDS}`,
      /ORDER_STATUS_PAYMENT_DECLINED, its payment PAYMENT_OUTCOME_PAID/,
    ],
    [
      "an order that is still pending",
      "orders",
      `UPDATE orders SET status = ${OrderStatus.PENDING_PAYMENT}, settle_time = NULL`,
      /its status is ORDER_STATUS_PENDING_PAYMENT/,
      /has no settle time/,
    ],
    [
      "a lost order",
      "orders",
      "DELETE FROM orders",
      new RegExp(`^order ${id} .*: ended ok for its client, is stored 0 times`),
      new RegExp(`^order ${id}: is paid or declined but not stored`),
    ],
    [
      "an order with other content",
      "orders",
      "UPDATE orders SET create_time = create_time + interval '1 second'",
      new RegExp(`^order ${id} .*: its content is not what its client asked for and was answered`),
    ],
    [
      "two orders with the same revision",
      "orders",
      "UPDATE orders SET revision = 1",
      /^user payer: two orders have one revision/,
    ],
    [
      "an event that was not published",
      "orders",
      `INSERT INTO outbox VALUES ('0190a7e4-0000-7000-8000-000000000001', 'events.v1.Lost', '', now(), now())`,
      /^outbox of orders: holds events.v1.Lost 0190a7e4-0000-7000-8000-000000000001/,
    ],
  ];

  it("reports nothing for a consistent system", async () => {
    assert.deepEqual(await violationsOnce("payments", "SELECT 1"), []);
  });

  for (const [what, service, sql, ...expected] of broken) {
    it(`finds ${what}`, async () => {
      assertFound(await violationsOnce(service, sql), ...expected);
    });
  }

  it("finds an order that no client placed, and one placed twice", async () => {
    const orders = history.orders.filter(({ order }) => order?.id !== paidId);
    const stranger = await violationsOnce("orders", "SELECT 1", { ...history, orders });
    assertFound(stranger, new RegExp(`^order ${paidId} .*: no client created it`));
    const twice = await violationsOnce(
      "orders",
      `INSERT INTO orders SELECT '0190a7e4-0000-7000-8000-000000000001', user_id, amount_minor,
         currency, description, status, decline_reason, refunded_minor, revision + 100, create_time,
         settle_time, expire_time, update_time FROM orders WHERE id = '${declinedId}'`,
    );
    assertFound(twice, new RegExp(`^order ${declinedId} .*: ended ok .*, is stored 2 times`));
  });

  it("finds a refused order that is stored, and allows either outcome of an unknown call", async () => {
    const orders = history.orders.map((attempt) =>
      attempt.order?.id === paidId ? { ...attempt, outcome: "failed" as const } : attempt,
    );
    assertFound(
      await violationsOnce("orders", "SELECT 1", { ...history, orders }),
      new RegExp(`^order ${paidId} .*: ended failed for its client, is stored 1 times`),
    );
    const unknown = history.orders.map(({ order: _, ...attempt }) => ({
      ...attempt,
      outcome: "unknown" as const,
      order: undefined,
    }));
    assert.deepEqual(
      await violationsOnce("orders", "SELECT 1", { ...history, orders: unknown }),
      [],
    );
  });

  it("finds messages left in queues and unexpected dead letters", async () => {
    const { adminUrl } = system.broker;
    const retries = retryQueueOf("orders", "60s");
    await publish(adminUrl, retries, [{ body: Buffer.from("left") }]);
    await publish(adminUrl, "payments.dead-letters", [{ body: Buffer.from("dead") }]);
    await eventually("the dead letter is stored", async () =>
      (await readDeadLetters(system.databases.payments)).length > 0 ? true : undefined,
    );
    const truth = await readTruth(system);
    assertFound(
      violationsOf(truth, history),
      /^queue orders.retry.60s: holds 1 messages/,
      /^dead letters: found \[64656164\], put in \[\]/,
    );
    await onBroker(adminUrl, async (channel) => {
      await channel.purgeQueue(retries);
    });
    await system.databases.payments.query("DELETE FROM dead_letters");
    await assertWhole(system, history);
  });

  it("finds a process that exited by itself", async () => {
    const replica = await system.start("payments");
    process.kill(replica.pid, "SIGKILL");
    await replica.exited;
    await assert.rejects(assertWhole(system, history), /payments-3\.log: ended by SIGKILL/);
  });
});
