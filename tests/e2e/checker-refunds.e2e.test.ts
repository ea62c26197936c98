import assert from "node:assert/strict";
import { topologyOf } from "@settle/chassis/contract/topology";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { successOf } from "../harness/calls/call.ts";
import { createSdkCaller } from "../harness/calls/sdk-caller.ts";
import { assertWhole, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type History } from "../harness/checker/history.ts";
import { assertFound, violationsAfter } from "../harness/checker/tampering.ts";
import { intercept, publish } from "../harness/system/queues.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const { PAID, CANCELLED, REFUNDED } = OrderStatus;
const { REFUND } = LedgerEntryKind;
const { work } = topologyOf("payments");
const [created, cancelled] = [OrderCreatedEventSchema.typeName, OrderCancelledEventSchema.typeName];

describe("the checker of cancellations and refunds", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let admins: ReturnType<typeof createSdkCaller>;
  before(async () => {
    system = await startSystem();
    await system.startBoth();
    const { edgeUrl, broker, call } = system;
    admins = createSdkCaller({ baseUrl: edgeUrl }, () => tokenOf("boss", ["admin"]));
    const shopper = createShopper(history, call, admins.call);
    // The amounts differ, so that the cases below can find an order in both databases.
    const place = (label: string, amountMinor: bigint) =>
      successOf(shopper.createOrder("buyer", amountMinor, { label }));
    await shopper.fundedAccount("buyer", 100n);
    const refunded = await place("refunded", 30n);
    const partly = await place("partly", 20n);
    await assertWhole(system, history);
    await successOf(shopper.refund(refunded, 30n));
    await successOf(shopper.refund(partly, 5n));

    const cancel = async (label: string, amountMinor: bigint, heard: readonly string[]) => {
      const kept = { from: "orders", to: "payments", types: heard } as const;
      const events = await intercept(broker.adminUrl, kept, async () => {
        await successOf(shopper.cancelOrder(await place(label, amountMinor)));
        return heard.length;
      });
      const inOrder = heard.flatMap((type) => events.filter((event) => event.type === type));
      await publish(broker.adminUrl, work, inOrder);
    };
    await cancel("late", 10n, [created, cancelled]);
    await cancel("early", 11n, [cancelled, created]);
    await assertWhole(system, history);
  });
  after(async () => {
    await admins?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  const about = (label: string, text: string) =>
    new RegExp(`^order [0-9a-f-]{36} \\(${label} .*\\): ${text}`);
  const refundOf = (amountMinor: number) =>
    `kind = ${REFUND} AND order_id = (SELECT order_id FROM payments WHERE amount_minor = ${amountMinor})`;
  const broken: [string, ServiceName, string, ...RegExp[]][] = [
    [
      "a refund that only payments knows",
      "orders",
      "UPDATE orders SET refunded_minor = 0 WHERE amount_minor = 20",
      about("partly", "shows 0 as refunded, its payment 5"),
      about("partly", "0 was refunded, answered OK 5, unknown 0"),
    ],
    [
      "a refund that only orders knows",
      "payments",
      "UPDATE payments SET refunded_minor = 0 WHERE amount_minor = 20",
      about("partly", "shows 5 as refunded, its payment 0"),
      about("partly", "refunds of 5 are booked, its payment says 0"),
    ],
    [
      "a refund that was not booked",
      "payments",
      `DELETE FROM ledger_entries WHERE ${refundOf(20)}`,
      about("partly", "refunds of 0 are booked, its payment says 5"),
      /^account buyer: the balance is 85, the entries sum to 80/,
      /^orders handled 9 events, there were 6 results and 2 refunds/,
    ],
    [
      "a refund that was booked twice",
      "payments",
      `INSERT INTO ledger_entries
       SELECT '0190a7e4-0000-7000-8000-000000000001', account, kind, amount_minor, currency,
         sequence + 100, balance_after_minor, order_id, create_time
       FROM ledger_entries WHERE ${refundOf(20)}`,
      about("partly", "refunds of 10 are booked, its payment says 5"),
      /^account buyer: the balance is 85, the entries sum to 90/,
    ],
    [
      "a refund into another account",
      "payments",
      `UPDATE ledger_entries SET account = 'stranger' WHERE account = 'buyer' AND ${refundOf(20)}`,
      about("partly", "a refund went to another account"),
      /^entry .*: there is no account stranger/,
    ],
    [
      "a refund in another currency",
      "payments",
      `UPDATE ledger_entries SET currency = 'USD' WHERE ${refundOf(20)}`,
      about("partly", "a refund went to another account"),
    ],
    [
      "a paid order that was refunded fully",
      "orders",
      `UPDATE orders SET status = ${PAID} WHERE amount_minor = 30`,
      about("refunded", "ORDER_STATUS_PAID with 30 of 30 refunded"),
    ],
    [
      "a refunded order that was not refunded fully",
      "orders",
      `UPDATE orders SET status = ${REFUNDED} WHERE amount_minor = 20`,
      about("partly", "ORDER_STATUS_REFUNDED with 5 of 20 refunded"),
    ],
    [
      "a cancelled order without a cancellation or a refund",
      "orders",
      `UPDATE orders SET status = ${CANCELLED} WHERE amount_minor = 20`,
      about("partly", "no client cancelled it"),
      about("partly", "cancelled, and 15 of it is kept"),
      /^payments handled 6 events, there were 7/,
    ],
    [
      "an order that is paid after its client cancelled it",
      "orders",
      `UPDATE orders SET status = ${PAID}, refunded_minor = 0 WHERE amount_minor = 10`,
      about("late", "was cancelled for its client and is not"),
      about("late", "shows 0 as refunded, its payment 10"),
    ],
    [
      "a cancelled order that was not refunded",
      "payments",
      `UPDATE payments SET refunded_minor = 0 WHERE amount_minor = 10;
       DELETE FROM ledger_entries WHERE ${refundOf(10)}`,
      about("late", "cancelled, and 10 of it is kept"),
      about("late", "shows 10 as refunded, its payment 0"),
    ],
    [
      "a cancelled order with a payment that was not booked",
      "payments",
      `UPDATE payments SET outcome = ${PaymentOutcome.PAID} WHERE amount_minor = 11`,
      about("early", "debited \\[\\], expected \\[buyer -11 EUR\\]"),
      about("early", "cancelled, and 11 of it is kept"),
    ],
    [
      "a paid order with a cancelled payment",
      "orders",
      `UPDATE orders SET status = ${PAID} WHERE amount_minor = 11`,
      about("early", "ORDER_STATUS_PAID, its payment PAYMENT_OUTCOME_CANCELLED"),
    ],
    [
      "a cancelled order without a payment",
      "payments",
      "DELETE FROM payments WHERE amount_minor = 11",
      about("early", "has 0 payments"),
    ],
    [
      "a cancellation that payments has not handled",
      "payments",
      "DELETE FROM inbox WHERE message_id = (SELECT max(message_id::text)::uuid FROM inbox)",
      /^payments handled 5 events, there were 6/,
    ],
  ];

  it("reports nothing for a consistent system", async () => {
    const untouched = { service: "payments", sql: "SELECT 1" } as const;
    assert.deepEqual(await violationsAfter(system, history, untouched), []);
  });

  for (const [what, service, sql, ...expected] of broken) {
    it(`finds ${what}`, async () => {
      assertFound(await violationsAfter(system, history, { service, sql }), ...expected);
    });
  }

  /** Returns the violations for a history with other results. */
  const violationsFor = (seen: Partial<History>) =>
    violationsAfter(system, { ...history, ...seen }, { service: "orders", sql: "SELECT 1" });

  it("finds a cancellation or refund that no client requested or that was refused", async () => {
    const unasked = await violationsFor({ cancellations: [], refunds: [] });
    const failed = { outcome: "failed" } as const;
    const refused = await violationsFor({
      cancellations: history.cancellations.map((attempt) => ({ ...attempt, ...failed })),
      refunds: history.refunds.map((attempt) => ({ ...attempt, ...failed })),
    });
    for (const violations of [unasked, refused]) {
      assertFound(
        violations,
        about("late", "no client cancelled it"),
        about("early", "no client cancelled it"),
        about("refunded", "30 was refunded, answered OK 0, unknown 0"),
        about("partly", "5 was refunded, answered OK 0, unknown 0"),
      );
    }
  });

  it("allows either outcome of an unknown call, and an expiry that was requested", async () => {
    const unknown = { outcome: "unknown" } as const;
    const either = await violationsFor({
      cancellations: history.cancellations.map((one) => ({ ...one, ...unknown })),
      refunds: history.refunds.map((one) => ({ ...one, ...unknown })),
    });
    assert.deepEqual(either, []);
    const expired = await violationsFor({
      cancellations: [],
      orders: history.orders.map((order) => ({ ...order, expires: true })),
    });
    assert.deepEqual(expired, []);
  });
});
