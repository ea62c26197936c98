import assert from "node:assert/strict";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { successOf } from "../harness/calls/call.ts";
import { someone, useStage } from "../harness/page/stage.ts";

describe("the page, after a decline", function () {
  this.timeout(60_000);
  const stage = useStage();

  async function signedIn() {
    const visit = await stage().visit();
    const name = someone();
    await visit.person.signIn(name);
    await visit.person.openAccount("EUR");
    await visit.person.topUp("10");
    await visit.person.seesLive("live");
    const orderElsewhere = async (description: string, currency: string) => {
      const order = { userId: name, amount: { minorUnits: 100n, currency }, description };
      await successOf(stage().system.call(OrdersService.method.createOrder, order));
    };
    return { ...visit, orderElsewhere };
  }

  it("keeps the amount typed into the top-up while another order is paid", async () => {
    await using visit = await signedIn();
    const { person, orderElsewhere } = visit;
    const { page, m, format } = person;
    await person.order("a boat", "100");
    const missing = format.money({ minorUnits: 9_000n, currency: "EUR" });
    await person.button(m.account.topUpBy(missing)).click();
    const amount = page.getByRole("dialog").getByRole("textbox");
    await amount.fill("7");
    await orderElsewhere("a paddle", "EUR");
    // The list is inert behind the dialog, so its elements have no roles.
    await page.getByText(m.orders.insufficientFunds).waitFor();
    assert.equal(await amount.inputValue(), "7");
  });

  it("orders again in the account's currency, from a draft that is used once", async () => {
    await using visit = await signedIn();
    const { person, orderElsewhere } = visit;
    const { page, m } = person;
    await orderElsewhere("a bridge", "USD");
    await orderElsewhere("a tunnel", "USD");
    await person.sees("a tunnel", "declined");
    await person
      .line("a bridge")
      .getByRole("button", { name: m.orders.againIn("EUR") })
      .waitFor();
    await person.line("a tunnel").getByRole("link").click();
    await person.button(m.orders.againIn("EUR")).click();
    const what = person.field(m.orders.what);
    assert.equal(await what.inputValue(), "a tunnel");
    await person.button(m.orders.place).click();
    await person.seesBalance(900, "EUR");
    await page.reload();
    await person.seesBalance(900, "EUR");
    assert.equal(await what.inputValue(), "");
  });
});
