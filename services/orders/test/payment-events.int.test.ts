import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { systemClock } from "@settle/chassis/base/clock";
import { newId } from "@settle/chassis/base/new-id";
import { claimMessages } from "@settle/chassis/events/inbox";
import { testLog } from "@settle/chassis/testing";
import {
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { MoneySchema } from "@settle/gen/money/v1/money_pb";
import { type Order, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { settleOrders } from "../src/payment-events.ts";
import { messageOf, type OrdersSetup, setupOrders } from "./orders-setup.ts";

const { PENDING_PAYMENT, PAID, PAYMENT_DECLINED, CANCELLED, REFUNDED } = OrderStatus;
type OrderKey = Pick<Order, "id" | "userId">;

describe("orders' handling of payment events", () => {
  let setup: OrdersSetup;
  before(async () => {
    setup = await setupOrders();
  });
  after(() => setup[Symbol.asyncDispose]());

  const ordersOf = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, nth) => setup.createOrder(`user-${nth % 7}`, "one")),
    );
  const orderOf = (amountMinor: bigint) => setup.createOrder("refunds", "one", { amountMinor });
  const resultOf = (
    { id: orderId, userId }: OrderKey,
    declineReason: DeclineReason = DeclineReason.UNSPECIFIED,
  ) =>
    messageOf(PaymentResultEventSchema, {
      orderId,
      userId,
      outcome: declineReason ? PaymentOutcome.DECLINED : PaymentOutcome.PAID,
      declineReason,
      amount: { minorUnits: 1n, currency: "EUR" },
      decideTime: timestampNow(),
    });
  const refundOf = ({ id: orderId, userId }: OrderKey, minorUnits: bigint) =>
    messageOf(PaymentRefundedEventSchema, {
      orderId,
      userId,
      refundedAmount: { minorUnits, currency: "EUR" },
      refundTime: timestampNow(),
    });
  const settle = (messages: readonly ReturnType<typeof resultOf | typeof refundOf>[]) =>
    setup.database.transaction(async (transaction) => {
      await claimMessages(
        transaction,
        messages.map(({ id }) => id),
      );
      const { hints } = setup;
      return settleOrders({ hints, clock: systemClock, log: testLog })(transaction, messages);
    });
  const stateOf = async (id: string) => {
    const [row] = await setup.database.query<{
      status: OrderStatus;
      decline_reason: DeclineReason;
      refunded: string;
      settled: boolean;
      revision: string;
    }>(
      `SELECT status, decline_reason, refunded_minor AS refunded, settle_time IS NOT NULL AS settled,
         revision FROM orders WHERE id = $1`,
      [id],
    );
    return row;
  };
  const statusAndRefund = async (id: string) => {
    const state = await stateOf(id);
    return [state?.status, state?.refunded];
  };

  it("takes as many statements for a hundred as for one", async () => {
    for (const size of [1, 10, 100]) {
      const orders = await ordersOf(size);
      const before = setup.database.statements.length;
      await settle(orders.map((order) => resultOf(order)));
      assert.deepEqual(setup.database.statements.slice(before), [3], `${size} results`);
    }
  });

  it("settles an order once, whatever arrives later or twice", async () => {
    const [order] = await ordersOf(1);
    assert.ok(order);
    const declined = resultOf(order, DeclineReason.INSUFFICIENT_FUNDS);
    assert.deepEqual(await settle([declined, resultOf(order)]), { tooEarly: [] });
    assert.deepEqual(await settle([resultOf(order)]), { tooEarly: [] });
    const state = await stateOf(order.id);
    assert.equal(state?.status, PAYMENT_DECLINED);
    assert.equal(state.decline_reason, DeclineReason.INSUFFICIENT_FUNDS);
    assert.equal(state.settled, true);
  });

  it("gives each changed order the next revision of its user, and no other order", async () => {
    const orders = await Promise.all(
      Array.from({ length: 5 }, () => setup.createOrder("counted", "one")),
    );
    const unknown = resultOf({ id: newId(), userId: "counted" });
    await settle([
      ...orders.map((order) => resultOf(order)),
      unknown,
      resultOf(orders[0] as Order),
    ]);
    const states = await Promise.all(orders.map(({ id }) => stateOf(id)));
    const revisions = states.map((state) => Number(state?.revision)).toSorted((a, b) => a - b);
    assert.deepEqual(revisions, [6, 7, 8, 9, 10]);
    const [counter] = await setup.database.query(
      "SELECT revision FROM user_revisions WHERE user_id = 'counted'",
      [],
    );
    assert.deepEqual(counter, { revision: "10" });
  });

  it("reports an event as too early if its order is missing, and applies the others", async () => {
    const [order] = await ordersOf(1);
    assert.ok(order);
    const early = [
      resultOf({ id: newId(), userId: "user-0" }),
      refundOf({ id: newId(), userId: "nobody-yet" }, 1n),
      resultOf({ id: order.id, userId: "user-1" }),
    ];
    const { tooEarly } = await settle([...early, resultOf(order)]);
    assert.deepEqual(
      tooEarly,
      early.map(({ id }) => id),
    );
    assert.equal((await stateOf(order.id))?.status, PAID);
  });

  it("records partial refunds, and sets the order to REFUNDED after the last one", async () => {
    const order = await orderOf(10n);
    await settle([resultOf(order), refundOf(order, 4n)]);
    assert.deepEqual(await statusAndRefund(order.id), [PAID, "4"]);
    await settle([refundOf(order, 10n)]);
    assert.deepEqual(await statusAndRefund(order.id), [REFUNDED, "10"]);
    await settle([refundOf(order, 4n), resultOf(order)]);
    assert.deepEqual(await statusAndRefund(order.id), [REFUNDED, "10"]);
  });

  it("keeps a refund that arrives before the payment result", async () => {
    const [partly, whole] = [await orderOf(10n), await orderOf(10n)];
    await settle([refundOf(partly, 7n), refundOf(whole, 10n)]);
    assert.deepEqual(await statusAndRefund(partly.id), [PENDING_PAYMENT, "7"]);
    assert.equal((await stateOf(whole.id))?.settled, false);
    await settle([resultOf(whole), resultOf(partly)]);
    assert.deepEqual(await statusAndRefund(partly.id), [PAID, "7"]);
    assert.deepEqual(await statusAndRefund(whole.id), [REFUNDED, "10"]);
  });

  it("leaves a cancelled order cancelled, and shows what was refunded", async () => {
    const order = await orderOf(10n);
    await setup.cancelOrder(order.userId, order.id);
    await settle([resultOf(order), refundOf(order, 10n)]);
    assert.deepEqual(await statusAndRefund(order.id), [CANCELLED, "10"]);
  });

  it("applies the refunds in a result event like those in refund events", async () => {
    const [paid, cancelled, whole] = [await orderOf(10n), await orderOf(10n), await orderOf(10n)];
    await setup.cancelOrder(cancelled.userId, cancelled.id);
    const told = (order: Order, minorUnits: bigint) => {
      const { event, ...message } = resultOf(order);
      const refundedAmount = create(MoneySchema, { minorUnits, currency: "EUR" });
      return { ...message, event: { ...event, refundedAmount } };
    };
    await settle([told(paid, 4n), told(cancelled, 10n), told(whole, 10n), resultOf(whole)]);
    assert.deepEqual(await statusAndRefund(paid.id), [PAID, "4"]);
    assert.deepEqual(await statusAndRefund(cancelled.id), [CANCELLED, "10"]);
    assert.deepEqual(await statusAndRefund(whole.id), [REFUNDED, "10"]);
  });

  it("notes that nothing was taken for a cancelled order, without a revision", async () => {
    const [declined, paid] = [await orderOf(10n), await orderOf(10n)];
    for (const { userId, id } of [declined, paid]) await setup.cancelOrder(userId, id);
    const states = async () => {
      const rows = await setup.database.query<{ untaken: boolean; revision: string }>(
        `SELECT nothing_taken AS untaken, revision FROM orders WHERE id IN ($1, $2) ORDER BY id`,
        [declined.id, paid.id],
      );
      return rows.map(({ untaken, revision }) => [untaken, revision]);
    };
    const [[, declinedAt] = [], [, paidAt] = []] = await states();
    await settle([resultOf(declined, DeclineReason.INSUFFICIENT_FUNDS), resultOf(paid)]);
    assert.deepEqual(await states(), [
      [true, declinedAt],
      [false, paidAt],
    ]);
  });
});
