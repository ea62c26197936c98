import assert from "node:assert/strict";
import { createFormat } from "../src/i18n/format.ts";
import { orderIdIn, searchFor } from "../src/orders/order-search.ts";

const id = "019ae8a4-1d51-7c3f-8a52-6b0c3a1f9e77";
const order = {
  id,
  description: "Ёлка и  two tickets",
  amount: { minorUnits: 123_450n, currency: "EUR" },
};
const finds = (text: string, language = "en") =>
  searchFor(text, createFormat(language).money)(order);

describe("the search for orders", () => {
  it("recognizes an order id, however it was pasted", () => {
    for (const text of [
      id,
      id.toUpperCase(),
      ` "${id}",`,
      `http://localhost:5173/orders/${id}?x=1`,
    ]) {
      assert.equal(orderIdIn(text), id, text);
    }
    assert.equal(orderIdIn(id.slice(1)), undefined);
    assert.equal(orderIdIn("two tickets"), undefined);
  });

  it("finds words in any order and case, amounts as they are shown, and ends of ids", () => {
    for (const text of ["TICKETS two", "елка", "1,234.50", "€1,234", "9e77", "…9e77", ""]) {
      assert.ok(finds(text), text);
    }
    // The spaces in the amount do not break lines.
    assert.ok(finds("1 234,50 €", "ru"));
    for (const text of ["boat", "two boats", "8a", "1234"]) assert.ok(!finds(text), text);
  });
});
