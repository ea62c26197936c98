import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { eventually } from "@settle/chassis/testing";
import type { Language } from "../harness/page/person.ts";
import { someone, useStage } from "../harness/page/stage.ts";
import { readKept } from "../harness/page/storage.ts";

describe("the page", function () {
  this.timeout(60_000);
  const stage = useStage();

  for (const language of ["en", "ru"] as const) {
    it(`leads its user from sign-in to the statement, in ${language}`, () => tour(language));
  }

  async function tour(language: Language) {
    const currency = { en: "EUR", ru: "RUB" }[language];
    await using visit = await stage().visit({ language });
    const { person } = visit;
    const { page, m, format } = person;
    const name = someone();
    const money = (minorUnits: bigint) => format.money({ minorUnits, currency });

    await person.signIn(name);
    assert.equal(await page.locator("html").getAttribute("lang"), language);
    await person.openAccount(currency);
    await person.seesBalance(0, currency);
    await person.topUp("30");
    await person.seesBalance(3_000, currency);

    await person.seesLive("live");
    await person.order("two tickets", language === "ru" ? "12,50" : "12.50", currency);
    await person.sees("two tickets", "paid");
    await person.seesBalance(1_750, currency);

    await person.order("a boat", "100", currency);
    await person.sees("a boat", "declined");
    const boat = person.line("a boat");
    await boat.getByText(m.orders.shortfall(money(1_750n), money(10_000n))).waitFor();
    await boat.getByRole("button", { name: m.account.topUpBy(money(8_250n)), exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: m.account.submit }).click();
    await person.seesBalance(10_000, currency);
    await boat.getByRole("button", { name: m.orders.again }).click();
    await person.button(m.orders.place).click();
    await person.line("a boat").nth(1).waitFor();
    await person.seesBalance(0, currency);

    await person.line("two tickets").getByRole("link").click();
    await page.getByRole("heading", { name: "two tickets" }).waitFor();
    for (const step of ["created", "received", "debited", "settled"] as const) {
      const happened = page.getByRole("listitem").filter({ hasText: m.order.steps[step] });
      const time = await happened.getByRole("time").getAttribute("datetime");
      assert.ok(Math.abs(Date.now() - Date.parse(time ?? "")) < 60_000, `${step} at ${time}`);
    }

    await person.menu(m.page.statement).click();
    const rows = page.getByRole("table").getByRole("row");
    await rows.nth(4).waitFor();
    assert.deepEqual(
      await page.getByRole("table").getByRole("row").locator("td:last-child").allInnerTexts(),
      [0n, 10_000n, 1_750n, 3_000n].map(money),
    );
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      person.button(m.statement.export).click(),
    ]);
    assert.match(
      download.suggestedFilename(),
      new RegExp(`^settle-${name}-\\d{4}-\\d\\d-\\d\\d.csv$`),
    );
    const csv = await readFile((await download.path()) ?? "", "utf8");
    const [head, ...lines] = csv.trim().split("\r\n");
    assert.equal(head, "\uFEFFtime,kind,amount,balance,currency,order,entry".trim());
    assert.deepEqual(
      lines.map((line) => line.split(",").slice(1, 5).join(" ")),
      [
        `payment -100.00 0.00 ${currency}`,
        `deposit 82.50 100.00 ${currency}`,
        `payment -12.50 17.50 ${currency}`,
        `deposit 30.00 30.00 ${currency}`,
      ],
    );

    await person.button(m.page.signOut).click();
    await person.field(m.signIn.name).waitFor();
    await page.reload();
    await person.field(m.signIn.name).waitFor();
    assert.equal(await page.getByText(name).count(), 0);
  }

  it("switches its language in place, and remembers it", async () => {
    await using visit = await stage().visit();
    const { person, tab } = visit;
    await person.signIn(someone());
    await person.button("Русский").click();
    await person.page.getByRole("button", { name: "Выйти" }).waitFor();
    const other = await tab();
    await other.page.getByRole("button", { name: "English" }).waitFor();
    assert.equal(await other.page.locator("html").getAttribute("lang"), "ru");
  });

  it("cancels a pending order", async () => {
    await using visit = await stage().visit({ troubled: true });
    const { person } = visit;
    await person.signIn(someone());
    await person.openAccount("EUR");
    await person.topUp("10");
    await stage().stop("payments");
    try {
      await person.order("a whim", "5");
      await person.sees("a whim", "pending");
      await person.button(person.m.orders.cancelOf("a whim")).click();
      await person.sees("a whim", "cancelled");
    } finally {
      await stage().start("payments");
    }
    await person.order("a need", "5");
    await person.sees("a need", "paid");
    await person.sees("a whim", "cancelled");
    await person.seesBalance(500, "EUR");
  });

  it("explains that an order that was just paid cannot be cancelled", async () => {
    await using visit = await stage().visit({ troubled: true });
    const { person } = visit;
    const { page, m } = person;
    const name = someone();
    await person.signIn(name);
    await person.openAccount("EUR");
    await person.topUp("10");
    // Payments is running again while the request is in flight.
    await page.route(/CancelOrder$/, async (route) => {
      await stage().start("payments");
      await paid(name);
      await route.continue();
    });
    await stage().stop("payments");
    await person.order("a promise", "5");
    await person.sees("a promise", "pending");
    await person.button(m.orders.cancelOf("a promise")).click();
    await page.getByRole("alert").getByText(m.orders.notCancellable.paid).waitFor();
    await person.sees("a promise", "paid");
    await person.seesBalance(500, "EUR");
  });

  /** Resolves when the user's only order is paid. */
  const paid = (userId: string) =>
    eventually("the order is paid", async () => {
      const { rows } = await stage().system.databases.orders.query(
        "SELECT 1 FROM orders WHERE user_id = $1 AND settle_time IS NOT NULL",
        [userId],
      );
      return rows[0];
    });

  it("places a hundred orders, and counts them as they settle", async () => {
    await using visit = await stage().visit();
    const { person } = visit;
    const { page, m } = person;
    const name = someone();
    await person.signIn(name);
    await person.openAccount("EUR");
    await person.menu(m.page.load).click();
    await person.button(m.load.start("100")).click();
    await page.getByText(m.load.progress("100", "100"), { exact: true }).waitFor();
    for (const title of [m.load.throughput, m.load.latency]) {
      await page.getByRole("heading", { name: title }).or(page.getByText(title)).first().waitFor();
    }
    const { rows } = await stage().system.databases.orders.query(
      "SELECT count(*)::int AS paid FROM orders WHERE user_id = $1 AND settle_time IS NOT NULL",
      [name],
    );
    assert.equal(rows[0].paid, 100);
  });

  it("keeps no token anywhere but in its memory", async () => {
    await using visit = await stage().visit();
    const { person, context } = visit;
    const name = someone();
    await person.signIn(name);
    await person.openAccount("EUR");
    const kept = await readKept(person.page);
    assert.deepEqual(kept.localStorage, { "settle.user": name });
    assert.deepEqual(kept.sessionStorage, {});
    assert.doesNotMatch(JSON.stringify(kept), /eyJ|token/);
    assert.deepEqual([kept.databases, kept.caches, kept.cookie], [[], [], ""]);
    assert.deepEqual(await context.cookies(), []);
  });
});
