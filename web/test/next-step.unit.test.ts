import assert from "node:assert/strict";
import { DeclineReason } from "@settle/sdk";
import { nextStepOf } from "../src/orders/next-step.ts";

const sum = (minorUnits: bigint, currency: string) => ({
  $typeName: "money.v1.Money" as const,
  minorUnits,
  currency,
});
const declined = (declineReason: DeclineReason) => ({ declineReason, amount: sum(500n, "EUR") });
const { INSUFFICIENT_FUNDS, CURRENCY_MISMATCH, ACCOUNT_NOT_FOUND } = DeclineReason;

describe("the next step after a decline", () => {
  it("is to top up by the missing amount, and then to order again", () => {
    const balance = sum(200n, "EUR");
    assert.deepEqual(nextStepOf(declined(INSUFFICIENT_FUNDS), { balance }), {
      kind: "top-up",
      missing: { minorUnits: 300n, currency: "EUR" },
      balance,
    });
    const enough = { balance: sum(500n, "EUR") };
    const again = { kind: "again", currency: "EUR", isCovered: true };
    assert.deepEqual(nextStepOf(declined(INSUFFICIENT_FUNDS), enough), again);
  });

  it("is to order again in the account's currency if the currencies differed", () => {
    const again = { kind: "again", currency: "USD", isCovered: false };
    assert.deepEqual(nextStepOf(declined(CURRENCY_MISMATCH), { balance: sum(0n, "USD") }), again);
  });

  it("is to open an account, and then to order again", () => {
    assert.deepEqual(nextStepOf(declined(ACCOUNT_NOT_FOUND), null), { kind: "open-account" });
    const again = { kind: "again", currency: "EUR", isCovered: false };
    assert.deepEqual(nextStepOf(declined(ACCOUNT_NOT_FOUND), { balance: sum(0n, "EUR") }), again);
  });

  it("is unknown before the account is loaded", () => {
    assert.equal(nextStepOf(declined(INSUFFICIENT_FUNDS), undefined), undefined);
  });
});
