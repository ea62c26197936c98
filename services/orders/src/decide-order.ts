import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { type DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";

/** The part of an order that a decision depends on and may change. */
export type OrderState = {
  readonly amountMinor: bigint;
  readonly status: OrderStatus;
  readonly declineReason: DeclineReason;
  readonly refundedMinor: bigint;
};

/** Something that has happened to an order. */
export type OrderFact =
  | { readonly kind: "cancelled" }
  | {
      readonly kind: "decided";
      readonly outcome: PaymentOutcome;
      readonly declineReason: DeclineReason;
      /** All that has been refunded so far. */
      readonly refundedMinor: bigint;
    }
  /** A refund was booked; `refundedMinor` is the new total. */
  | { readonly kind: "refunded"; readonly refundedMinor: bigint };

/**
 * Returns the order after `fact`; undefined if the fact changes nothing, because the transition is
 * not allowed or was already made.
 *
 * A cancellation or a payment decision changes the status of a PENDING_PAYMENT order only. The
 * largest refund total is kept whatever the status, so events may arrive in any order. An order
 * that is PAID and refunded in full becomes REFUNDED.
 */
export function decideOrder<State extends OrderState>(
  order: State,
  fact: OrderFact,
): State | undefined {
  if (fact.kind === "cancelled") {
    return isPending(order) ? { ...order, status: OrderStatus.CANCELLED } : undefined;
  }
  const seen = withRefunds(order, fact.refundedMinor);
  const decided = fact.kind === "decided" && isPending(seen) ? withOutcome(seen, fact) : seen;
  const isBack =
    decided.status === OrderStatus.PAID && decided.refundedMinor === decided.amountMinor;
  const after = isBack ? { ...decided, status: OrderStatus.REFUNDED } : decided;
  return after === order ? undefined : after;
}

/** Whether `order`, as it is after `fact`, is cancelled, and `fact` says that nothing was taken. */
export function isNothingTaken({ status }: OrderState, fact: OrderFact): boolean {
  return (
    status === OrderStatus.CANCELLED &&
    fact.kind === "decided" &&
    fact.outcome !== PaymentOutcome.PAID
  );
}

function isPending({ status }: OrderState): boolean {
  return status === OrderStatus.PENDING_PAYMENT;
}

function withRefunds<State extends OrderState>(order: State, refundedMinor: bigint): State {
  // Never more than the amount: a larger total would be an error of payments.
  const totalMinor = refundedMinor < order.amountMinor ? refundedMinor : order.amountMinor;
  return totalMinor > order.refundedMinor ? { ...order, refundedMinor: totalMinor } : order;
}

function withOutcome<State extends OrderState>(
  order: State,
  { outcome, declineReason }: OrderFact & { readonly kind: "decided" },
): State {
  switch (outcome) {
    case PaymentOutcome.PAID:
      return { ...order, status: OrderStatus.PAID };
    case PaymentOutcome.DECLINED:
      return { ...order, status: OrderStatus.PAYMENT_DECLINED, declineReason };
    case PaymentOutcome.CANCELLED:
      return { ...order, status: OrderStatus.CANCELLED };
    default:
      return order;
  }
}
