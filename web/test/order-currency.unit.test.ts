import assert from "node:assert/strict";
import { orderCurrency } from "../src/orders/order-currency.ts";

const sum = (currency: string) => ({
  $typeName: "money.v1.Money" as const,
  minorUnits: 1n,
  currency,
});

describe("the currency of a new order", () => {
  it("is the account's, or the first available one without an account", () => {
    assert.equal(orderCurrency({ balance: sum("JPY") }, { amount: sum("USD") }), "JPY");
    assert.equal(orderCurrency(null, { amount: sum("USD") }), "EUR");
  });

  it("is not guessed while the account is unknown", () => {
    assert.equal(orderCurrency(undefined, { amount: sum("USD") }), "USD");
    assert.equal(orderCurrency(undefined, undefined), undefined);
  });
});
