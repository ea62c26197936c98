import assert from "node:assert/strict";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import fc from "fast-check";
import {
  decideOrder,
  isNothingTaken,
  type OrderFact,
  type OrderState,
} from "../src/decide-order.ts";

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

const decided = (outcome: PaymentOutcome, refundedMinor = 0n) => {
  const isDeclined = outcome === PaymentOutcome.DECLINED;
  const { INSUFFICIENT_FUNDS, UNSPECIFIED } = DeclineReason;
  const declineReason = isDeclined ? INSUFFICIENT_FUNDS : UNSPECIFIED;
  return { kind: "decided", outcome, declineReason, refundedMinor } as const;
};
/** One that is beyond the amount is a fault of payments. */
const total = fc.bigInt(0n, amountMinor + 2n);
const fact: fc.Arbitrary<OrderFact> = fc.oneof(
  fc.constant({ kind: "cancelled" } as const),
  fc.constant(decided(PaymentOutcome.DECLINED)),
  fc.constant(decided(PaymentOutcome.CANCELLED)),
  total.map((refundedMinor) => decided(PaymentOutcome.PAID, refundedMinor)),
  total.map((refundedMinor) => ({ kind: "refunded", refundedMinor }) as const),
);
const start: OrderState = {
  amountMinor,
  status: PENDING_PAYMENT,
  declineReason: DeclineReason.UNSPECIFIED,
  refundedMinor: 0n,
};

describe("deciding about an order", () => {
  it("makes only allowed transitions, for any facts in any order", () => {
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

  it("gives the same result in any order of the refunds and the payment", () => {
    fc.assert(
      fc.property(fc.array(total, { maxLength: 6 }), total, fc.nat(6), (totals, told, place) => {
        const facts: OrderFact[] = totals.map((refundedMinor) => ({
          kind: "refunded",
          refundedMinor,
        }));
        const paid: OrderFact = decided(PaymentOutcome.PAID, told);
        const end = (order: readonly OrderFact[]) =>
          order.reduce((state, next) => decideOrder(state, next) ?? state, start);
        assert.deepEqual(end(facts.toSpliced(place, 0, paid)), end([paid, ...facts]));
      }),
      { numRuns: 2_000 },
    );
  });

  it("changes nothing for a repeated fact", () => {
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

describe("a cancellation", () => {
  const cancelled = { ...start, status: CANCELLED };
  const outcomes = [PaymentOutcome.PAID, PaymentOutcome.DECLINED, PaymentOutcome.CANCELLED];
  const told: OrderFact[] = [
    { kind: "cancelled" },
    { kind: "refunded", refundedMinor: amountMinor },
    ...outcomes.map((outcome) => decided(outcome)),
  ];

  it("is answered for good by a payment that took nothing", () => {
    const untaken = told.map((one) => isNothingTaken(cancelled, one));
    assert.deepEqual(untaken, [false, false, false, true, true]);
  });

  it("is no answer about an order in another status", () => {
    const others = [PENDING_PAYMENT, PAID, PAYMENT_DECLINED, REFUNDED];
    for (const status of others) {
      const order = { ...start, status, refundedMinor: amountMinor };
      assert.ok(!told.some((one) => isNothingTaken(order, one)));
    }
  });
});

/** A status that says nothing of what was paid. */
function isOpen({ status }: OrderState): boolean {
  return status === PENDING_PAYMENT || status === CANCELLED || status === PAYMENT_DECLINED;
}
