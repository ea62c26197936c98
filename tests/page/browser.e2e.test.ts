import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import type { Route } from "playwright-core";
import { ru } from "../../web/src/i18n/ru.ts";
import { successOf } from "../harness/calls/call.ts";
import { someone, useStage } from "../harness/page/stage.ts";
import type { VisitOptions } from "../harness/page/visit.ts";

/** The cluster through which the edge forwards the watches of browsers. */
const watches = "orders-watch-http1";

/** Takes away what browsers give to secure origins alone. */
function insecure(): void {
  Object.defineProperty(crypto, "randomUUID", { value: undefined });
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  Object.defineProperty(navigator, "locks", { value: undefined });
}

/** Wraps every text in elements of its own, as translators of browsers do, now and later. */
function translate(): void {
  const { document, MutationObserver } = globalThis as unknown as InBrowser;
  const wrap = () => {
    const walker = document.createTreeWalker(document.body, 4);
    const texts: TextNode[] = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) texts.push(node);
    for (const text of texts) {
      if (text.parentElement.tagName === "FONT" || text.data.trim() === "") continue;
      const font = document.createElement("font");
      text.replaceWith(font);
      font.append(text.data);
    }
  };
  new MutationObserver(wrap).observe(document.body, { childList: true, subtree: true });
  wrap();
}

/** Browser globals, which are unknown to these tests in Node. */
type TextNode = {
  readonly data: string;
  readonly parentElement: { readonly tagName: string };
  replaceWith(other: object): void;
};
type InBrowser = {
  readonly document: {
    readonly body: object;
    createTreeWalker(root: object, show: number): { nextNode(): TextNode | null };
    createElement(name: string): { append(text: string): void };
  };
  readonly MutationObserver: new (
    hear: () => void,
  ) => { observe(target: object, options: object): void };
};

describe("the page, in a browser", function () {
  this.timeout(60_000);
  const stage = useStage();

  async function shopping(options: VisitOptions) {
    const visit = await stage().visit(options);
    const { person } = visit;
    await person.signIn(someone());
    await person.openAccount("EUR");
    await person.topUp("10");
    return visit;
  }

  for (const [what, deny] of Object.entries({
    "denies its storage": () => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
      }
    },
    "has no room in its storage": () => {
      const { Storage } = globalThis as unknown as { Storage: { prototype: object } };
      Object.assign(Storage.prototype, {
        setItem() {
          throw new DOMException("full", "QuotaExceededError");
        },
      });
    },
  })) {
    it(`that ${what}, works and forgets`, async () => {
      await using visit = await shopping({ prepare: (context) => context.addInitScript(deny) });
      const { person } = visit;
      await person.order("forgotten", "1");
      await person.sees("forgotten", "paid");
      await person.button(person.m.theme.auto).click();
      await person.button(person.m.theme.light).waitFor();
      await person.page.reload();
      await person.button(person.m.signIn.submit).waitFor();
      await person.button(person.m.theme.auto).waitFor();
    });
  }

  it("that gets no stream, reads again, and says so", async () => {
    await using visit = await shopping({
      prepare: (context) => context.route("**/WatchOrders", () => {}),
    });
    const { person } = visit;
    await person.order("held back", "1");
    await person.page.getByText(person.m.live.polling).first().waitFor({ timeout: 15_000 });
    await person.line("held back").getByText(person.m.orders.status.paid).waitFor({
      timeout: 15_000,
    });
    await person.seesBalance(900, "EUR");
    await visit.context.unroute("**/WatchOrders");
    await person.page.reload();
    await person.seesLive("live");
  });

  it("that lacks a part since an update, loads the page anew once, and shows the other views", async () => {
    await using visit = await shopping({ troubled: true });
    const { person, context } = visit;
    const { page, m } = person;
    let asked = 0;
    const lose = async (route: Route) => {
      asked += 1;
      await route.fulfill({ status: 404, body: "not found" });
    };
    await context.route(/load-view.*\.js$/, lose, { times: 1 });
    await person.menu(m.page.load).click();
    await page.getByRole("heading", { name: m.load.title }).waitFor();
    assert.equal(asked, 1, "it was loaded after the page was loaded anew");

    await person.menu(m.page.orders).click();
    await page.reload();
    await context.route(/load-view.*\.js$/, lose);
    await person.menu(m.page.load).click();
    await page.getByText(m.page.failed).waitFor();
    assert.equal(asked, 3, "it was loaded anew once");
    await person.menu(m.page.orders).click();
    await person.button(m.orders.place).waitFor();

    // One part that can be loaded does not let the page try another one for ever.
    await context.route(/find-details.*\.js$/, lose);
    await page.goto("/?status=paid");
    await page.getByText(m.page.failed).waitFor();
    assert.equal(asked, 5, "it was loaded anew once for the other part");

    await context.route(/\/ru-.*\.js$/, lose, { times: 1 });
    await person.button(m.language.change).click();
    await page.getByText(ru.page.failed).waitFor();
  });

  it("that is at plain http on a name, copies and orders", async () => {
    await using visit = await shopping({ prepare: (context) => context.addInitScript(insecure) });
    const { person } = visit;
    await person.order("insecure", "1");
    await person.sees("insecure", "paid");
    await person.line("insecure").getByRole("link").click();
    await person.page.getByRole("button", { name: person.m.order.copyId }).click();
    await person.page.getByText(person.m.order.copied).waitFor();
  });

  it("that translates it, shows what changes", async () => {
    await using visit = await shopping({ troubled: true });
    const { person } = visit;
    await person.page.evaluate(translate);
    const { stop, start } = stage();
    await stop("payments");
    try {
      await person.order("translated", "1");
      await person.sees("translated", "pending");
    } finally {
      await start("payments");
    }
    await person.sees("translated", "paid");
    await person.seesBalance(900, "EUR");
    await person.line("translated").getByRole("link").click();
    await person.page.getByText(person.m.order.steps.settled).waitFor();
  });
});

describe("the page, for people", function () {
  this.timeout(60_000);
  const stage = useStage();

  it("says the rule for names before and after it refuses one, and which sign it refuses", async () => {
    await using visit = await stage().visit({ language: "ru" });
    const { page, m, field, button } = visit.person;
    await page.getByText(m.signIn.nameHint).waitFor();
    await field(m.signIn.name).fill("Мария");
    await button(m.signIn.submit).click();
    await page.getByText(m.signIn.nameFault("М")).waitFor();
  });

  it("says whose session it is where an order is another user's, and leads back", async () => {
    const { call } = stage().system;
    const amount = { minorUnits: 1n, currency: "EUR" };
    const order = { userId: someone(), amount, description: "\u202e \u200b" };
    const { id } = await successOf(call(OrdersService.method.createOrder, order));
    await using visit = await stage().visit();
    const { person, tab } = visit;
    const name = someone();
    await person.signIn(name);
    const { page, m } = await tab(`/orders/${id}`);
    await page.getByText(m.order.notFoundAs(name)).waitFor();
    await page.getByRole("link", { name: m.page.notFoundNext }).click();
    await page.getByText(m.account.none).waitFor();

    // Nothing of such a description can be seen.
    await using owner = await stage().visit();
    await owner.person.signIn(order.userId);
    await owner.person.page.getByRole("link", { name: m.orders.untitled, exact: true }).waitFor();
  });
});

describe("two tabs of the page", function () {
  this.timeout(60_000);
  const stage = useStage();
  const count = () => stage().system.edge.countUnderWay(watches);
  const watched = (expected: number) =>
    eventually(`the edge has ${expected} watches`, async () =>
      (await count()) === expected ? true : undefined,
    );

  it("share one watch, and one continues when the other is closed", async () => {
    await watched(0);
    await using visit = await stage().visit();
    const { person: first, tab } = visit;
    const name = someone();
    await first.signIn(name);
    await first.openAccount("EUR");
    await first.seesLive("live");
    await first.topUp("10");

    const second = await tab();
    await second.seesBalance(1_000, "EUR");
    await second.seesLive("live");
    assert.equal(await count(), 1);

    await second.order("from the second", "1");
    for (const tabOf of [first, second]) {
      await tabOf.sees("from the second", "paid");
      await tabOf.seesBalance(900, "EUR");
    }
    await first.topUp("5");
    await second.seesBalance(1_400, "EUR");
    assert.equal(await count(), 1);

    await first.page.close();
    await second.seesLive("live");
    await second.order("alone", "2");
    await second.sees("alone", "paid");
    await second.seesBalance(1_200, "EUR");
    await watched(1);

    await second.button(second.m.page.signOut).click();
    await watched(0);
  });

  it("agree on who is signed in, on the language and on the theme", async () => {
    await using visit = await stage().visit();
    const { person: first, tab } = visit;
    const name = someone();
    await first.signIn(name);
    const second = await tab();
    await second.button(second.m.page.signOut).waitFor();

    await second.button(second.m.theme.auto).click();
    await first.button(first.m.theme.light).waitFor();
    await second.button(second.m.language.change).click();
    await first.page.getByRole("button", { name: "English" }).waitFor();
    await first.page.getByRole("button", { name: "English" }).click();

    await second.button(second.m.page.signOut).click();
    await first.button(first.m.signIn.submit).waitFor();
    assert.equal(await first.page.getByText(name).count(), 0);
    const other = someone();
    await first.signIn(other);
    await second.page.getByText(other).first().waitFor();
  });
});
