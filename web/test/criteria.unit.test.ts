import assert from "node:assert/strict";
import { en } from "../src/i18n/en.ts";
import { ru } from "../src/i18n/ru.ts";
import { criteriaOf } from "../src/orders/criteria.ts";
import type { OrderFilter } from "../src/orders/order-filter.ts";

const id = "019ae8a4-1d51-7c3f-8a52-6b0c3a1f9e77";
const whole = { text: "a boat", status: "paid", from: "2026-11-25", to: "2026-12-01" } as const;

describe("what is looked for", () => {
  const labels = (filter: OrderFilter, language: "en" | "ru" = "en") =>
    criteriaOf(filter, { m: { en, ru }[language], language }).map(({ label }) =>
      label.replaceAll(/\s/g, " "),
    );

  it("is named in the language of the page", () => {
    assert.deepEqual(labels(whole), ["“a boat”", "Paid", "Nov 25 – Dec 1, 2026"]);
    assert.deepEqual(labels(whole, "ru"), ["«a boat»", "Оплачен", "25 нояб. – 1 дек. 2026 г."]);
    assert.deepEqual(labels({ from: "2026-12-01", to: "2026-12-01" }), ["Dec 1, 2026"]);
    assert.deepEqual(labels({ from: "2026-12-01" }), ["From Dec 1, 2026"]);
    assert.deepEqual(labels({ to: "2026-12-01" }, "ru"), ["По 1 дек. 2026 г."]);
    assert.deepEqual(labels({}), []);
  });

  it("is the order alone for an order id, wherever the filters point", () => {
    assert.deepEqual(labels({ ...whole, text: `order ${id}` }), [id]);
  });

  it("can be removed part by part", () => {
    const { text, status, ...days } = whole;
    const without = criteriaOf(whole, { m: en, language: "en" }).map((part) => ({
      ...whole,
      ...part.without,
    }));
    const left = without.map((parts) => Object.entries(parts).filter(([, value]) => value));
    assert.deepEqual(left, [
      Object.entries({ status, ...days }),
      Object.entries({ text, ...days }),
      Object.entries({ text, status }),
    ]);
  });
});
