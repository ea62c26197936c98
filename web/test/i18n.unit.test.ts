import assert from "node:assert/strict";
import { errorClasses } from "@settle/sdk";
import { en } from "../src/i18n/en.ts";
import { createFormat } from "../src/i18n/format.ts";
import { plural } from "../src/i18n/plural.ts";
import { ru } from "../src/i18n/ru.ts";

/** The page makes no refunds, and operates nothing. */
const ofOthers = new Set([
  "DEAD_LETTER_NOT_FOUND",
  "PAYMENT_NOT_REFUNDABLE",
  "REFUND_EXCEEDS_PAYMENT",
]);

describe("languages", () => {
  it("have the plural forms of their numbers", () => {
    const forms = { one: "заказ", few: "заказа", many: "заказов", other: "заказа" };
    const of = (count: number) => plural("ru", count, forms);
    assert.deepEqual([1, 2, 5, 11, 21, 22, 100].map(of), [
      "заказ",
      "заказа",
      "заказов",
      "заказов",
      "заказ",
      "заказа",
      "заказов",
    ]);
    assert.equal(en.load.done(1, "1", "2 s"), "1 order settled in 2 s.");
    assert.equal(en.load.done(2, "2", "2 s"), "2 orders settled in 2 s.");
    assert.equal(ru.load.done(21, "21", "2 с"), "21\u00a0заказ завершён за\u00a02 с.");
    const found = [1, 2, 5, 11, 21].map((count) => ru.find.found(count, String(count)));
    assert.deepEqual(found, [
      "Найден 1\u00a0заказ",
      "Найдено 2\u00a0заказа",
      "Найдено 5\u00a0заказов",
      "Найдено 11\u00a0заказов",
      "Найден 21\u00a0заказ",
    ]);
  });

  it("have texts for every error reason that a page can meet", () => {
    assert.deepEqual(Object.keys(ru.errors.reasons), Object.keys(en.errors.reasons));
    const met = Object.keys(errorClasses).filter((reason) => !ofOthers.has(reason));
    assert.deepEqual(Object.keys(en.errors.reasons).toSorted(), met.toSorted());
  });

  it("format amounts exactly, by their own rules", () => {
    const sum = { minorUnits: 900_719_925_474_099_301n, currency: "EUR" };
    const text = (language: string) =>
      createFormat(language)
        .moneyParts(sum)
        .map((part) => part.text)
        .join("");
    assert.equal(text("en"), "€9,007,199,254,740,993.01");
    assert.match(text("ru"), /^9\s007\s199\s254\s740\s993,01\s€$/);
    assert.equal(createFormat("en").signedMoney({ minorUnits: -250n, currency: "EUR" }), "−€2.50");
    assert.equal(createFormat("en").signedMoney({ minorUnits: 250n, currency: "EUR" }), "+€2.50");
  });

  it("format durations with suitable precision", () => {
    const { duration } = createFormat("en");
    assert.deepEqual([0.42, 6.25, 142.4, 1_240, 61_000].map(duration), [
      "0.4 ms",
      "6.3 ms",
      "142 ms",
      "1.2 sec",
      "1 min",
    ]);
  });
});
