import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";

/** What a decision needs to know of an account. */
export type Funds = { readonly currency: string; readonly balanceMinor: bigint };

export type Decision = {
  readonly outcome: PaymentOutcome;
  /** UNSPECIFIED where the outcome is PAID. */
  readonly declineReason: DeclineReason;
};

/**
 * Decides whether `funds`, undefined where the user has no account, pay `amountMinor` of
 * `currency`. Only a balance that covers the whole amount does.
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
