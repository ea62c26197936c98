import { counter } from "@settle/chassis/metrics/registry";
import { DeclineReasonSchema, PaymentOutcomeSchema } from "@settle/gen/payments/v1/payment_pb";
import type { PaymentEntity } from "./payment.entity.ts";

const decisions = counter({
  name: "settle_payments_total",
  help: "Payments that were decided, by outcome and, of declined ones, reason.",
  labels: ["outcome", "reason"],
});

export const movements = counter({
  name: "settle_ledger_movements_total",
  help: "Movements of money that were booked, by kind.",
  labels: ["kind"],
});

/** Counts a payment that was decided and stored. */
export function countDecision({
  outcome,
  declineReason,
}: Pick<PaymentEntity, "outcome" | "declineReason">): void {
  decisions.inc({
    outcome: PaymentOutcomeSchema.value[outcome]?.localName ?? "",
    reason: declineReason === 0 ? "" : (DeclineReasonSchema.value[declineReason]?.localName ?? ""),
  });
}
