import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { type DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";

/** What a decision needs to know of an order, and what it may change. */
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
  /** The same total, a refund having been added to it. */
  | { readonly kind: "refunded"; readonly refundedMinor: bigint };

/**
 * Decides what becomes of an order to which `fact` has happened; undefined where nothing does,
 * because the move is not legal or has been made before.
 *
 * Only PENDING_PAYMENT is left by a cancellation or a decision. The largest refund total is kept
 * whatever the status, so events may come in any order; an order that is PAID and refunded in full
 * is REFUNDED.
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

/** Whether `fact` says of `order`, as it is since, that it is cancelled and nothing was taken for it. */
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
  // Never more than was paid: a total beyond it would be a fault of payments.
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
