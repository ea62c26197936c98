import assert from "node:assert/strict";
import { DeclineReason, type Order, OrderStatus, type Payment, PaymentOutcome } from "@settle/sdk";
import { timelineOf } from "../src/orders/timeline.ts";

const at = (ms: number) => ({
  $typeName: "google.protobuf.Timestamp" as const,
  seconds: BigInt(Math.floor(ms / 1_000)),
  nanos: (ms % 1_000) * 1_000_000,
});
const sum = (minorUnits: bigint) => ({
  $typeName: "money.v1.Money" as const,
  minorUnits,
  currency: "EUR",
});
const order = (status: OrderStatus, more: Partial<Order> = {}) =>
  ({ status, createTime: at(1_000), amount: sum(250n), ...more }) as Order;
const payment = (outcome: PaymentOutcome, more: Partial<Payment> = {}) =>
  ({
    outcome,
    amount: sum(250n),
    receiveTime: at(1_006),
    decideTime: at(1_008),
    ...more,
  }) as Payment;
const told = (...args: Parameters<typeof timelineOf>) =>
  timelineOf(...args).map((step) =>
    step.state === "happened"
      ? `${step.kind}${step.sinceMs === undefined ? "" : ` +${step.sinceMs}`}`
      : `(${step.state} ${step.kind})`,
  );

describe("the timeline of an order", () => {
  it("shows the next step while it is pending", () => {
    assert.deepEqual(told(order(OrderStatus.PENDING_PAYMENT), undefined), [
      "created",
      "(current received)",
      "(upcoming decided)",
      "(upcoming settled)",
    ]);
    assert.deepEqual(told(order(OrderStatus.PENDING_PAYMENT), payment(PaymentOutcome.PAID)), [
      "created",
      "received +6",
      "debited +2",
      "(current settled)",
    ]);
  });

  it("shows all steps of a paid order and its refunds", () => {
    const paid = order(OrderStatus.PAID, { settleTime: at(1_014) });
    assert.deepEqual(told(paid, payment(PaymentOutcome.PAID)), [
      "created",
      "received +6",
      "debited +2",
      "settled +6",
    ]);
    const part = payment(PaymentOutcome.PAID, { refundedAmount: sum(50n), refundTime: at(3_014) });
    assert.equal(told(paid, part).at(-1), "refunded-part +2000");
    const all = payment(PaymentOutcome.PAID, { refundedAmount: sum(250n), refundTime: at(3_014) });
    const refunded = order(OrderStatus.REFUNDED, { settleTime: at(1_014) });
    assert.equal(told(refunded, all).at(-1), "refunded +2000");
  });

  it("ends with the decline", () => {
    const declined = order(OrderStatus.PAYMENT_DECLINED, {
      settleTime: at(1_014),
      declineReason: DeclineReason.INSUFFICIENT_FUNDS,
    });
    assert.deepEqual(told(declined, payment(PaymentOutcome.DECLINED)), [
      "created",
      "received +6",
      "declined +2",
      "closed +6",
    ]);
  });

  it("shows nothing for an unknown outcome", () => {
    const newer = payment(99 as PaymentOutcome);
    assert.deepEqual(told(order(99 as OrderStatus), newer), ["created", "received +6"]);
  });

  it("distinguishes a cancellation from an expiry", () => {
    const cancelled = order(OrderStatus.CANCELLED, { settleTime: at(1_004) });
    assert.deepEqual(told(cancelled, undefined), ["created", "cancelled +4"]);
    const expired = order(OrderStatus.CANCELLED, { settleTime: at(9_000), expireTime: at(8_990) });
    assert.deepEqual(told(expired, payment(PaymentOutcome.CANCELLED, { decideTime: at(9_010) })), [
      "created",
      "expired +8000",
      "withdrawn +10",
    ]);
  });

  it("shows a payment that crossed a cancellation in its place, and its refund", () => {
    const cancelled = order(OrderStatus.CANCELLED, { settleTime: at(1_007) });
    const crossed = ["created", "received +6", "cancelled +1", "debited +1"];
    assert.deepEqual(told(cancelled, payment(PaymentOutcome.PAID)), [
      ...crossed,
      "(current refunded)",
    ]);
    const back = payment(PaymentOutcome.PAID, { refundedAmount: sum(250n), refundTime: at(1_020) });
    assert.deepEqual(told(cancelled, back), [...crossed, "refunded +12"]);
  });

  it("shows no duration between clocks that disagree", () => {
    const paid = order(OrderStatus.PAID, { settleTime: at(1_007) });
    assert.deepEqual(told(paid, payment(PaymentOutcome.PAID)).at(-1), "settled");
  });
});
