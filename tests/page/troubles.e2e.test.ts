import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import type { Route } from "playwright-core";
import { successOf } from "../harness/calls/call.ts";
import { someone, useStage } from "../harness/page/stage.ts";

/** Lets a request take effect, but drops its response. */
async function loseAnswer(route: Route): Promise<void> {
  await route.fetch();
  await route.abort();
}

describe("the page, when something is wrong", function () {
  this.timeout(60_000);
  const stage = useStage();

  /** Returns the stored orders of a user. */
  async function storedOrders(userId: string): Promise<readonly string[]> {
    const { rows } = await stage().system.databases.orders.query(
      "SELECT description FROM orders WHERE user_id = $1 ORDER BY id",
      [userId],
    );
    return rows.map(({ description }) => description);
  }

  /** Resolves when payments has decided about the user's order. */
  async function paidFor(userId: string): Promise<void> {
    await eventually("the order is paid for", async () => {
      const { rows } = await stage().system.databases.payments.query(
        "SELECT 1 FROM payments WHERE user_id = $1",
        [userId],
      );
      return rows[0];
    });
  }

  async function signedIn(options: { readonly troubled?: boolean } = {}) {
    const visit = await stage().visit(options);
    const name = someone();
    await visit.person.signIn(name);
    await visit.person.openAccount("EUR");
    await visit.person.topUp("10");
    await visit.person.seesLive("live");
    return { ...visit, name };
  }

  it("places one order for a double click", async () => {
    await using visit = await signedIn();
    const { person, name } = visit;
    await person.field(person.m.account.amountIn("EUR")).fill("1");
    await person.field(person.m.orders.what).fill("once");
    await person.button(person.m.orders.place).dblclick();
    await person.sees("once", "paid");
    await person.seesBalance(900, "EUR");
    assert.deepEqual(await storedOrders(name), ["once"]);
  });

  it("shows an order as waiting while payments is down, and as paid after a reload", async () => {
    await using visit = await signedIn({ troubled: true });
    const { person } = visit;
    await stage().stop("payments");
    try {
      await person.order("patience", "1");
      await person.sees("patience", "pending");
      await person.page.reload();
      await person.sees("patience", "pending");
      await person.line("patience").getByRole("link").click();
      await person.page.getByText(person.m.orders.status.pending).first().waitFor();
      const paid = person.page.getByText(person.m.orders.status.paid, { exact: true });
      assert.equal(await paid.count(), 0);
      await person.page.getByText(person.m.live.away.payments).waitFor();
    } finally {
      await stage().start("payments");
    }
    await person.page.getByText(person.m.order.steps.settled).waitFor();
    await person.page.getByText(person.m.order.steps.debited).waitFor();
    // A call finds out by itself.
    const away = person.page.getByText(person.m.live.away.payments);
    await away.waitFor({ state: "detached", timeout: 20_000 });
  });

  it("shows that it reconnects while orders restarts, and then catches up", async () => {
    await using visit = await signedIn({ troubled: true });
    const { person, name } = visit;
    const { system, start, stop } = stage();
    await stop("payments");
    await person.order("overnight", "1");
    await person.sees("overnight", "pending");
    await stop("orders");
    await person.seesLive("reconnecting");
    await start("payments");
    await paidFor(name);
    await person.sees("overnight", "pending");
    await start("orders");
    await system.healthy();
    // If it is still displayed: the page may have noticed by itself.
    await person.button(person.m.live.retry).evaluateAll((buttons) => {
      for (const button of buttons as unknown as { click(): void }[]) button.click();
    });
    await person.sees("overnight", "paid");
    await person.seesLive("live");
    await person.seesBalance(900, "EUR");
    assert.deepEqual(await storedOrders(name), ["overnight"]);
  });

  it("never shows an order as placed before it is accepted, and sends it in the end", async () => {
    await using visit = await signedIn({ troubled: true });
    const { person, name } = visit;
    const { edge } = stage().system;
    await edge.stop();
    try {
      await person.seesLive("offline");
      await person.button(person.m.live.retry).press("Enter");
      const near = person.page.getByRole("region", { name: person.m.live.label });
      await near.and(person.page.locator(":focus-within")).waitFor();
      await person.order("into the void", "1");
      await person.page.getByText(person.m.errors.reasons.UNAVAILABLE ?? "").waitFor();
      assert.equal(await person.line("into the void").count(), 0);
    } finally {
      await edge.start();
      await stage().system.healthy();
    }
    await person.button(person.m.orders.place).click();
    await person.sees("into the void", "paid");
    assert.deepEqual(await storedOrders(name), ["into the void"]);
  });

  it("places an order once though its response was lost", async () => {
    await using visit = await signedIn({ troubled: true });
    const { person, name } = visit;
    const { page, m } = person;
    await page.route(/CreateOrder$/, loseAnswer);
    await person.order("only once", "1");
    await page.getByText(m.errors.safe).waitFor();
    await page.unroute(/CreateOrder$/);
    await person.button(m.orders.place).click();
    await person.sees("only once", "paid");
    assert.deepEqual(await storedOrders(name), ["only once"]);
  });

  it("tops up once though the response was lost and the dialog was closed and reopened", async () => {
    await using visit = await signedIn({ troubled: true });
    const { person, name } = visit;
    const { page, m } = person;
    const dialog = page.getByRole("dialog");
    await page.route(/Deposit$/, loseAnswer);
    await person.button(m.account.topUp).click();
    await dialog.getByRole("textbox").fill("7");
    await page.keyboard.press("Enter");
    await dialog.getByText(m.errors.safe).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.unroute(/Deposit$/);
    await person.topUp("7");
    await person.seesBalance(1_700, "EUR");
    const { rows } = await stage().system.databases.payments.query(
      `SELECT amount_minor::int AS amount FROM ledger_entries
       WHERE account = $1 ORDER BY sequence`,
      [name],
    );
    assert.deepEqual(rows, [{ amount: 1_000 }, { amount: 700 }]);
    // The intent is done now, so the same action again is a new one.
    await person.topUp("7");
    await person.seesBalance(2_400, "EUR");
  });

  it("shows that it is offline, and catches up when it is online again", async () => {
    await using visit = await signedIn({ troubled: true });
    const { person, context, name } = visit;
    await context.setOffline(true);
    await person.seesLive("offline");
    const amount = { minorUnits: 100n, currency: "EUR" };
    const order = { userId: name, amount, description: "from elsewhere" };
    await successOf(stage().system.call(OrdersService.method.createOrder, order));
    await paidFor(name);
    await context.setOffline(false);
    await person.seesLive("live");
    await person.sees("from elsewhere", "paid");
    await person.seesBalance(900, "EUR");
  });
});
