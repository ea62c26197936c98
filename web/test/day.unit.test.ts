import assert from "node:assert/strict";
import { addDays, dayOf, dayTitle, parseDay, startOfDay } from "../src/time/day.ts";

describe("days", () => {
  const zone = process.env.TZ;
  before(() => {
    // The clocks change there on 2026-03-29 and 2026-10-25.
    process.env.TZ = "Europe/Berlin";
  });
  after(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it("are those of this browser's time zone", () => {
    assert.equal(dayOf(Date.parse("2026-11-22T22:59:59.999Z")), "2026-11-22");
    assert.equal(dayOf(Date.parse("2026-11-22T23:00:00Z")), "2026-11-23");
    assert.equal(startOfDay("2026-11-23"), Date.parse("2026-11-22T23:00:00Z"));
  });

  it("follow each other by the calendar, also when the clocks change", () => {
    assert.equal(startOfDay("2026-10-25", 1) - startOfDay("2026-10-25"), 25 * 3_600_000);
    assert.equal(startOfDay("2026-03-29", 1) - startOfDay("2026-03-29"), 23 * 3_600_000);
    assert.equal(addDays("2026-03-30", -1), "2026-03-29");
    assert.equal(addDays("2026-12-31", 1), "2027-01-01");
  });

  it("are parsed only if they exist and the contract takes them", () => {
    assert.equal(parseDay("2028-02-29"), "2028-02-29");
    for (const text of [
      "2026-02-29",
      "2026-13-01",
      "0020-01-01",
      "1970-01-01",
      "9999-01-01",
      "x",
    ]) {
      assert.equal(parseDay(text), undefined, text);
    }
  });

  it("have titles by the rules of the language", () => {
    const titles = (language: string) =>
      ["2026-12-01", "2026-11-30", "2026-11-29", "2025-11-30"].map((day) =>
        dayTitle(day, "2026-12-01", language),
      );
    assert.deepEqual(titles("en"), [
      "Today",
      "Yesterday",
      "Sunday, November 29",
      "November 30, 2025",
    ]);
    assert.deepEqual(titles("ru"), [
      "Сегодня",
      "Вчера",
      "Воскресенье, 29 ноября",
      "30 ноября 2025 г.",
    ]);
  });
});
