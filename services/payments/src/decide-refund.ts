import assert from "node:assert/strict";
import type { Refused } from "@settle/chassis/writes/answer-once";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";

/** What a decision needs to know of a payment. */
export type Refundable = {
  readonly outcome: PaymentOutcome;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** What has gone back before. */
  readonly refundedMinor: bigint;
};

/**
 * Decides how much of `payment`, undefined where there is none, goes back: what is `asked` for, or
 * all that is left where that is undefined. Only of a PAID payment does anything, and never more
 * than is left of it. The balance it goes to has no say.
 */
export function decideRefund(
  payment: Refundable | undefined,
  asked: { readonly amountMinor: bigint; readonly currency: string } | undefined,
): { readonly amountMinor: bigint } | Refused {
  if (!payment) return { refusal: ErrorReason.PAYMENT_NOT_FOUND };
  if (payment.outcome !== PaymentOutcome.PAID) {
    return { refusal: ErrorReason.PAYMENT_NOT_REFUNDABLE };
  }
  if (asked && asked.currency !== payment.currency) {
    return { refusal: ErrorReason.CURRENCY_MISMATCH };
  }
  const leftMinor = payment.amountMinor - payment.refundedMinor;
  const amountMinor = asked ? asked.amountMinor : leftMinor;
  if (leftMinor === 0n || amountMinor > leftMinor) {
    return {
      refusal: ErrorReason.REFUND_EXCEEDS_PAYMENT,
      metadata: { left_minor_units: String(leftMinor) },
    };
  }
  assert(amountMinor > 0n, `the refund amount ${amountMinor} is not positive`);
  return { amountMinor };
}
