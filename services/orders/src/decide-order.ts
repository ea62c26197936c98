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
    }
  /** `totalMinor` is all that has been refunded so far. */
  | { readonly kind: "refunded"; readonly totalMinor: bigint };

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
  if (fact.kind === "refunded") {
    // Never more than was paid: a total beyond it would be a fault of payments.
    const totalMinor = fact.totalMinor < order.amountMinor ? fact.totalMinor : order.amountMinor;
    if (totalMinor <= order.refundedMinor) return undefined;
    return withRefundsSeen({ ...order, refundedMinor: totalMinor });
  }
  if (order.status !== OrderStatus.PENDING_PAYMENT) return undefined;
  if (fact.kind === "cancelled") return { ...order, status: OrderStatus.CANCELLED };
  const { declineReason } = fact;
  switch (fact.outcome) {
    case PaymentOutcome.PAID:
      return withRefundsSeen({ ...order, status: OrderStatus.PAID });
    case PaymentOutcome.DECLINED:
      return { ...order, status: OrderStatus.PAYMENT_DECLINED, declineReason };
    case PaymentOutcome.CANCELLED:
      return { ...order, status: OrderStatus.CANCELLED };
    default:
      return undefined;
  }
}

function withRefundsSeen<State extends OrderState>(order: State): State {
  const isRefunded = order.status === OrderStatus.PAID && order.refundedMinor === order.amountMinor;
  return isRefunded ? { ...order, status: OrderStatus.REFUNDED } : order;
}
