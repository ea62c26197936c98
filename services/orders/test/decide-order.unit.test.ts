import assert from "node:assert/strict";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import fc from "fast-check";
import { decideOrder, type OrderFact, type OrderState } from "../src/decide-order.ts";

const { PENDING_PAYMENT, PAID, PAYMENT_DECLINED, CANCELLED, REFUNDED } = OrderStatus;
const amountMinor = 10n;
const legalMoves = new Set(
  [
    [PENDING_PAYMENT, PAID],
    [PENDING_PAYMENT, PAYMENT_DECLINED],
    [PENDING_PAYMENT, CANCELLED],
    // Refunds that came ahead of the payment.
    [PENDING_PAYMENT, REFUNDED],
    [PAID, REFUNDED],
  ].map(String),
);

const fact: fc.Arbitrary<OrderFact> = fc.oneof(
  fc.constant({ kind: "cancelled" } as const),
  fc
    .constantFrom(PaymentOutcome.PAID, PaymentOutcome.DECLINED, PaymentOutcome.CANCELLED)
    .map((outcome) => ({
      kind: "decided" as const,
      outcome,
      declineReason:
        outcome === PaymentOutcome.DECLINED
          ? DeclineReason.INSUFFICIENT_FUNDS
          : DeclineReason.UNSPECIFIED,
    })),
  fc.bigInt(1n, amountMinor + 2n).map((totalMinor) => ({ kind: "refunded" as const, totalMinor })),
);
const start: OrderState = {
  amountMinor,
  status: PENDING_PAYMENT,
  declineReason: DeclineReason.UNSPECIFIED,
  refundedMinor: 0n,
};

describe("deciding about an order", () => {
  it("makes only legal moves, whatever happens in whatever order", () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 12 }), (facts) => {
        let order = start;
        for (const next of facts) {
          const after = decideOrder(order, next);
          if (!after) continue;
          if (after.status !== order.status) {
            assert.ok(legalMoves.has(String([order.status, after.status])));
          }
          assert.ok(after.refundedMinor >= order.refundedMinor);
          assert.ok(after.refundedMinor <= amountMinor);
          order = after;
        }
        assert.equal(
          order.status === REFUNDED,
          order.refundedMinor === amountMinor && !isOpen(order),
        );
        assert.equal(
          order.declineReason !== DeclineReason.UNSPECIFIED,
          order.status === PAYMENT_DECLINED,
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it("comes to the same end in whatever order the refunds and the payment come", () => {
    const total = fc.bigInt(1n, amountMinor);
    fc.assert(
      fc.property(fc.array(total, { maxLength: 6 }), fc.nat(6), (totals, place) => {
        const facts: OrderFact[] = totals.map((totalMinor) => ({ kind: "refunded", totalMinor }));
        const paid: OrderFact = {
          kind: "decided",
          outcome: PaymentOutcome.PAID,
          declineReason: DeclineReason.UNSPECIFIED,
        };
        const end = (order: readonly OrderFact[]) =>
          order.reduce((state, next) => decideOrder(state, next) ?? state, start);
        assert.deepEqual(end(facts.toSpliced(place, 0, paid)), end([paid, ...facts]));
      }),
      { numRuns: 2_000 },
    );
  });

  it("changes nothing when it is told the same again", () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 6 }), fact, (facts, last) => {
        const before = facts.reduce((state, next) => decideOrder(state, next) ?? state, start);
        const once = decideOrder(before, last) ?? before;
        assert.equal(decideOrder(once, last), undefined);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** A status that says nothing of what was paid. */
function isOpen({ status }: OrderState): boolean {
  return status === PENDING_PAYMENT || status === CANCELLED || status === PAYMENT_DECLINED;
}
