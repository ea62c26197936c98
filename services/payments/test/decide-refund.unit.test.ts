import assert, { AssertionError } from "node:assert/strict";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { decideRefund } from "../src/decide-refund.ts";

const { CURRENCY_MISMATCH, PAYMENT_NOT_FOUND, PAYMENT_NOT_REFUNDABLE } = ErrorReason;

describe("the decision about a refund", () => {
  const paid = {
    outcome: PaymentOutcome.PAID,
    amountMinor: 100n,
    currency: "EUR",
    refundedMinor: 30n,
  };
  const euros = (amountMinor: bigint) => ({ amountMinor, currency: "EUR" });
  const exceeds = (leftMinor: bigint) => ({
    refusal: ErrorReason.REFUND_EXCEEDS_PAYMENT,
    metadata: { left_minor_units: `${leftMinor}` },
  });

  it("refunds the requested amount, or all that is left without one", () => {
    assert.deepEqual(decideRefund(paid, euros(1n)), { amountMinor: 1n });
    assert.deepEqual(decideRefund(paid, euros(70n)), { amountMinor: 70n });
    assert.deepEqual(decideRefund(paid, undefined), { amountMinor: 70n });
  });

  it("refuses more than is left, and says how much that is", () => {
    assert.deepEqual(decideRefund(paid, euros(71n)), exceeds(70n));
    const spent = { ...paid, refundedMinor: 100n };
    assert.deepEqual(decideRefund(spent, euros(1n)), exceeds(0n));
    assert.deepEqual(decideRefund(spent, undefined), exceeds(0n));
  });

  it("refuses where nothing was taken", () => {
    assert.deepEqual(decideRefund(undefined, euros(1n)), { refusal: PAYMENT_NOT_FOUND });
    for (const outcome of [PaymentOutcome.DECLINED, PaymentOutcome.CANCELLED]) {
      const payment = { ...paid, outcome, refundedMinor: 0n };
      assert.deepEqual(decideRefund(payment, undefined), { refusal: PAYMENT_NOT_REFUNDABLE });
      const dollars = { amountMinor: 1n, currency: "USD" };
      assert.deepEqual(decideRefund(payment, dollars), { refusal: PAYMENT_NOT_REFUNDABLE });
    }
  });

  it("refuses another currency, however much is asked for", () => {
    const dollars = { amountMinor: 1_000n, currency: "USD" };
    assert.deepEqual(decideRefund(paid, dollars), { refusal: CURRENCY_MISMATCH });
  });

  it("never takes money", () => {
    for (const amountMinor of [0n, -1n]) {
      assert.throws(() => decideRefund(paid, euros(amountMinor)), AssertionError);
    }
  });
});
