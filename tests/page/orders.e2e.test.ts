import assert from "node:assert/strict";
import type { Order } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { successOf } from "../harness/calls/call.ts";
import { createSdkCaller } from "../harness/calls/sdk-caller.ts";
import type { Person } from "../harness/page/person.ts";
import { someone, useStage } from "../harness/page/stage.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const dayMs = 24 * 3_600_000;
const shownAtFirst = 50;

describe("the list of orders", function () {
  this.timeout(60_000);
  const stage = useStage();

  async function signedIn() {
    const visit = await stage().visit();
    const userId = someone();
    await visit.person.signIn(userId);
    await visit.person.openAccount("EUR");
    await visit.person.topUp("10");
    await visit.person.seesLive("live");
    const orderElsewhere = (description: string, minorUnits = 100n): Promise<Order> => {
      const order = { userId, amount: { minorUnits, currency: "EUR" }, description };
      return successOf(stage().system.call(OrdersService.method.createOrder, order));
    };
    return { ...visit, userId, orderElsewhere };
  }

  async function refund(userId: string, orderId: string): Promise<void> {
    const asAdmin = (name: string) => tokenOf(name, ["admin"]);
    await using admin = createSdkCaller({ baseUrl: stage().system.edgeUrl }, asAdmin);
    const { refundPayment } = PaymentsService.method;
    await successOf(admin.call(refundPayment, { userId, orderId }));
  }

  const announced = ({ page }: Person, text: string) =>
    page.locator("[role=status][aria-live=polite]").filter({ hasText: text }).waitFor({
      state: "attached",
    });
  const queryOf = ({ page }: Person) => decodeURIComponent(new URL(page.url()).search);
  const lineGone = (person: Person, what: string) =>
    person.line(what).waitFor({ state: "detached" });

  it("is filtered by status, with live changes, and the address keeps the filter", async () => {
    await using visit = await signedIn();
    const { person, userId, orderElsewhere } = visit;
    const { page, m } = person;
    await person.order("a boat", "50");
    await person.sees("a boat", "declined");
    const ticket = await orderElsewhere("a ticket");
    await person.sees("a ticket", "paid");

    await person.button(m.find.filters(0)).click();
    await person.field(m.find.status).selectOption("paid");
    await lineGone(person, "a boat");
    await announced(person, m.find.found(1, "1"));
    assert.equal(queryOf(person), "?status=paid");

    await orderElsewhere("a yacht", 100_000n);
    await orderElsewhere("a snack");
    await person.sees("a snack", "paid");
    assert.equal(await person.line("a yacht").count(), 0);
    await refund(userId, ticket.id);
    await lineGone(person, "a ticket");

    await person.line("a snack").getByRole("link").click();
    await page.getByText(m.order.back).click();
    await person.sees("a snack", "paid");
    assert.equal(queryOf(person), "?status=paid");
    await page.reload();
    await person.sees("a snack", "paid");
    assert.equal(await person.line("a yacht").count(), 0);
    await person.button(m.find.remove(m.orders.status.paid)).click();
    await person.sees("a yacht", "declined");
    await page.goBack();
    await lineGone(person, "a yacht");

    // A filter that hides a new order ends.
    await person.button(m.find.filters(1)).click();
    await person.field(m.find.status).selectOption("cancelled");
    await page.locator("main").getByText(m.find.none, { exact: true }).waitFor();
    await person.order("a drink", "1");
    await person.sees("a drink", "paid");
    assert.equal(queryOf(person), "");
  });

  it("is searched by order id and text, grouped and filtered by day, and left as it was", async () => {
    await using visit = await signedIn();
    const { person, userId, orderElsewhere } = visit;
    const { page, m } = person;
    const oldest = await orderElsewhere("the first order of all");
    await stage().system.databases.orders.query(
      "UPDATE orders SET create_time = $2 WHERE user_id = $1",
      [userId, new Date(Date.now() - dayMs).toISOString()],
    );
    await Promise.all(Array.from({ length: shownAtFirst }, () => orderElsewhere("a crowd", 1n)));
    await page.reload();
    await person
      .line("a crowd")
      .nth(shownAtFirst - 1)
      .waitFor();
    const search = person.field(m.find.label);
    await search.fill("FIRST order");
    const few = page.getByText(m.find.noneAmong(shownAtFirst, String(shownAtFirst)));
    await few.waitFor();
    await announced(person, m.find.none);
    await person.button(m.find.older).click();
    await person.line(oldest.description).waitFor();
    assert.equal(queryOf(person), "?q=FIRST+order");

    await page.reload();
    await few.waitFor();
    assert.equal(await search.inputValue(), "FIRST order");
    await search.fill(`order ${oldest.id.toUpperCase()}.`);
    await person.line(oldest.description).waitFor();
    await announced(person, m.find.found(1, "1"));
    const other = `${oldest.id.slice(0, -4)}0000`;
    await search.fill(other);
    await page.getByText(m.find.noSuchIdNext).waitFor();
    await page.getByText(other, { exact: true }).first().waitFor();
    await person.button(m.find.clear).click();
    await person
      .line("a crowd")
      .nth(shownAtFirst - 1)
      .waitFor();
    await person.button(m.orders.more).click();
    const headings = page.getByRole("heading", { level: 3 });
    assert.deepEqual(await headings.allInnerTexts(), ["Today", "Yesterday"]);
    const last = person.line(oldest.description).getByRole("link");
    await last.click();
    await page.getByRole("heading", { name: oldest.description }).waitFor();
    await page.goBack();
    await last.waitFor();
    const { y = 0 } = (await last.boundingBox()) ?? {};
    assert.ok(y > 0 && y < 800, `back where it was left, not ${y} px below the top`);

    await person.button(m.find.filters(0)).click();
    await person.button(m.find.ranges.today).click();
    await lineGone(person, oldest.description);
    const day = await person.field(m.find.to).inputValue();
    await page.goBack();
    await person.field(m.find.to).fill(dayBefore(day));
    await person.line("a crowd").first().waitFor({ state: "detached" });
    await last.waitFor();
    await person.field(m.find.from).fill(day);
    await page.getByText(m.find.wrongOrder).waitFor();
    await page.getByText(m.find.none).first().waitFor();
  });
});

/** Returns the day before, both as in a date input. */
function dayBefore(day: string): string {
  return new Date(Date.parse(day) - dayMs).toISOString().slice(0, 10);
}
