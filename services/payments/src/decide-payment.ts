import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";

/** The part of an account that a decision depends on. */
export type Funds = { readonly currency: string; readonly balanceMinor: bigint };

export type Decision = {
  readonly outcome: PaymentOutcome;
  /** UNSPECIFIED unless the outcome is DECLINED. */
  readonly declineReason: DeclineReason;
};

/**
 * Decides whether the user's account can pay `amountMinor` of `currency`. The balance must cover
 * the whole amount. `funds` is undefined if the user has no account.
 */
export function decidePayment(
  funds: Funds | undefined,
  order: { readonly amountMinor: bigint; readonly currency: string },
): Decision {
  if (!funds) return declined(DeclineReason.ACCOUNT_NOT_FOUND);
  if (funds.currency !== order.currency) return declined(DeclineReason.CURRENCY_MISMATCH);
  if (funds.balanceMinor < order.amountMinor) return declined(DeclineReason.INSUFFICIENT_FUNDS);
  return { outcome: PaymentOutcome.PAID, declineReason: DeclineReason.UNSPECIFIED };
}

function declined(declineReason: DeclineReason): Decision {
  return { outcome: PaymentOutcome.DECLINED, declineReason };
}
