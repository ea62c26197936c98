import assert from "node:assert/strict";
import type { Refused } from "@settle/chassis/writes/answer-once";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";

/** The part of a payment that a decision depends on. */
export type Refundable = {
  readonly outcome: PaymentOutcome;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** The total already refunded. */
  readonly refundedMinor: bigint;
};

/**
 * Decides how much of `payment` is refunded: the amount in `asked`, or all that is left if `asked`
 * is undefined. Only a PAID payment can be refunded, and never more than is left of it. `payment`
 * is undefined if there is none. The balance of the account does not matter.
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
