import assert from "node:assert/strict";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { decidePayment } from "../src/decide-payment.ts";

const { ACCOUNT_NOT_FOUND, CURRENCY_MISMATCH, INSUFFICIENT_FUNDS, UNSPECIFIED } = DeclineReason;

describe("the decision about a payment", () => {
  const order = { amountMinor: 100n, currency: "EUR" };
  const cases = [
    ["declines without an account", undefined, ACCOUNT_NOT_FOUND],
    ["declines another currency", { currency: "USD", balanceMinor: 100n }, CURRENCY_MISMATCH],
    ["declines one unit too few", { currency: "EUR", balanceMinor: 99n }, INSUFFICIENT_FUNDS],
    ["pays with the last unit", { currency: "EUR", balanceMinor: 100n }, UNSPECIFIED],
  ] as const;
  for (const [what, funds, declineReason] of cases) {
    it(what, () => {
      const { PAID, DECLINED } = PaymentOutcome;
      const outcome = declineReason === UNSPECIFIED ? PAID : DECLINED;
      assert.deepEqual(decidePayment(funds, order), { outcome, declineReason });
    });
  }
});
