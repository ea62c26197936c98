import assert from "node:assert/strict";
import { orderCurrency } from "../src/orders/order-currency.ts";

const sum = (currency: string) => ({
  $typeName: "money.v1.Money" as const,
  minorUnits: 1n,
  currency,
});

describe("the currency of a new order", () => {
  it("is the account's, and the first on offer for whoever has none", () => {
    assert.equal(orderCurrency({ balance: sum("JPY") }, { amount: sum("USD") }), "JPY");
    assert.equal(orderCurrency(null, { amount: sum("USD") }), "EUR");
  });

  it("is never guessed while the account is not known", () => {
    assert.equal(orderCurrency(undefined, { amount: sum("USD") }), "USD");
    assert.equal(orderCurrency(undefined, undefined), undefined);
  });
});
