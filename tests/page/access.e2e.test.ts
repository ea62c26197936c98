import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import { faultsOf } from "../harness/page/axe.ts";
import type { Person } from "../harness/page/person.ts";
import { someone, useStage } from "../harness/page/stage.ts";

const maxTabs = 40;
const phone = { width: 360, height: 740 };
const desk = { width: 1280, height: 800 };

describe("the page's accessibility", function () {
  this.timeout(90_000);
  const stage = useStage();

  /** Shows each view in turn, with all of its elements. */
  async function everyView(person: Person, look: (view: string) => Promise<void>): Promise<void> {
    const { page, m } = person;
    await person.field(m.signIn.name).waitFor();
    await look("sign in");
    await person.signIn(someone());
    await person.field(m.account.currency).waitFor();
    await look("no account");
    await person.openAccount("EUR");
    await person.topUp("10");
    await person.order("two tickets, row 7, seats 11 and 12, with a view of the sea", "5");
    await person.seesBalance(500, "EUR");
    await person.order("a boat", "50");
    await person.sees("a boat", "declined");
    await person.field(m.account.amountIn("EUR")).fill("nothing");
    await person.button(m.orders.place).click();
    await look("orders");
    await person.button(m.find.filters(0)).click();
    await person.field(m.find.status).selectOption("declined");
    await person.field(m.find.label).fill("no such order");
    await page.locator("main").getByText(m.find.none).waitFor();
    await look("filters, nothing found");
    await person.button(m.find.clear).click();
    await person.button(m.account.topUp).click();
    await page.getByRole("dialog").waitFor();
    await look("top-up");
    await page.keyboard.press("Escape");
    await person.line("a boat").getByRole("link").click();
    await page.getByText(m.order.steps.declined).waitFor();
    await look("order");
    await person.menu(m.page.statement).click();
    await page.getByRole("table").waitFor();
    await look("statement");
    await person.menu(m.page.load).click();
    await page.getByRole("heading", { name: m.load.title }).waitFor();
    await look("load");
    await person.button(m.load.start("100")).click();
    await page.getByText(m.load.progress("100", "100"), { exact: true }).waitFor();
    await look("load, done");
    await page.goto("/no/such/view");
    await page.getByText(m.page.notFound).waitFor();
    await look("not found");
  }

  it("fits a phone in every view and passes axe, in light and dark", async () => {
    // Russian texts are longer.
    await using visit = await stage().visit({ viewport: phone, language: "ru" });
    const { page } = visit.person;
    await everyView(visit.person, async (view) => {
      const width = await page.evaluate(
        () => (globalThis as unknown as Wide).document.documentElement.scrollWidth,
      );
      assert.ok(width <= phone.width, `${view} is ${width} wide`);
      assert.deepEqual(await faultsOf(page), [], `${view} on a phone`);
      await page.setViewportSize(desk);
      await page.emulateMedia({ colorScheme: "dark" });
      // Everything else is the same.
      const looks = ["color-contrast", "target-size", "scrollable-region-focusable"];
      assert.deepEqual(await faultsOf(page, looks), [], `${view}, dark`);
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize(phone);
    });
  });

  it("allows use by keyboard alone, with visible focus", async () => {
    await using visit = await stage().visit();
    const { person } = visit;
    const { page, m } = person;
    const { keyboard } = page;
    await person.field(m.signIn.name).waitFor();
    assert.ok(await isFocused(person.field(m.signIn.name)), "the name can be typed at once");
    await keyboard.type(someone());
    await keyboard.press("Enter");
    await person.field(m.account.currency).waitFor();
    assert.ok(await isFocused(page.locator("#main")), "the first view begins at its top");
    await goTo(person, person.field(m.account.currency));
    await keyboard.press("ArrowDown");
    await goTo(person, person.button(m.account.open));
    await keyboard.press("Enter");
    await person.button(m.account.topUp).waitFor();
    const currency = /[A-Z]{3}/.exec(
      await page
        .locator("label")
        .filter({ hasText: /[A-Z]{3}/ })
        .innerText(),
    );

    await goTo(person, person.button(m.account.topUp));
    await keyboard.press("Space");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.ok(await isFocused(person.button(m.account.topUp)), "the focus comes back");
    await keyboard.press("Enter");
    await dialog.waitFor();
    await keyboard.type("20");
    await keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await person.seesBalance(2_000, currency?.[0] ?? "");

    await goTo(person, person.field(m.account.amountIn(currency?.[0] ?? "")));
    await keyboard.type("7");
    await goTo(person, person.field(m.orders.what));
    await keyboard.type("by hand");
    await keyboard.press("Enter");
    await person.sees("by hand", "paid");
    await goTo(person, person.line("by hand").getByRole("link"));
    await keyboard.press("Enter");
    await page.getByText(m.order.steps.settled).waitFor();
    await goTo(person, person.button(m.page.signOut), "Shift+Tab");
    await keyboard.press("Enter");
    await person.field(m.signIn.name).waitFor();
  });

  it("announces the outcome of an order to screen readers, once and politely", async () => {
    await using visit = await stage().visit();
    const { person } = visit;
    await person.signIn(someone());
    await person.openAccount("EUR");
    await person.topUp("10");
    const live = person.page.locator("[role=status][aria-live=polite]");
    // Collects all announcements from now on.
    const told = await live.evaluateHandle((element) => {
      const region = element as unknown as { readonly textContent: string | null };
      const { MutationObserver } = globalThis as unknown as Wide;
      const texts: string[] = [];
      const observer = new MutationObserver(() => texts.push(region.textContent ?? ""));
      observer.observe(region, { childList: true, characterData: true, subtree: true });
      return texts;
    });
    await person.order("a ticket", "4");
    const balance = person.format.money({ minorUnits: 600n, currency: "EUR" });
    const { settled, spoken } = person.m.orders;
    const first = settled("a ticket", spoken.paid, balance);
    await live.filter({ hasText: first }).waitFor({ state: "attached" });
    await person.order("a boat", "50");
    const second = settled("a boat", spoken.declined, balance);
    await live.filter({ hasText: second }).waitFor({ state: "attached" });
    const ends = (await told.jsonValue()).filter((text) => [first, second].includes(text));
    assert.deepEqual(ends, [first, second]);
  });

  it("keeps the focus near a button that disappears when pressed", async () => {
    await using visit = await stage().visit();
    const { person } = visit;
    const { m } = person;
    await person.signIn(someone());
    await person.openAccount("EUR");
    await person.menu(m.page.load).click();
    await person.button(m.load.start("100")).click();
    await person.button(m.load.stop).press("Enter");
    await person.button(m.load.stop).waitFor({ state: "detached" });
    assert.ok(await isFocused(person.button(m.load.start("100"))));
  });
});

/** Moves the focus by keyboard to the element, and checks that the focus is visible on the way. */
async function goTo({ page }: Person, target: Locator, key = "Tab"): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < maxTabs; presses += 1) {
    if (await isFocused(target)) return;
    await page.keyboard.press(key);
    const style = await page.evaluate(() => {
      const { document, getComputedStyle } = globalThis as unknown as Wide;
      const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
      return { outlineStyle, boxShadow };
    });
    assert.ok(style.outlineStyle !== "none" || style.boxShadow !== "none", "the focus is shown");
  }
  throw new Error(`${target} cannot be reached by the keyboard`);
}

function isFocused(target: Locator): Promise<boolean> {
  return target.evaluate(
    (element) => element === (globalThis as unknown as Wide).document.activeElement,
  );
}

/** Browser globals, which are unknown to these tests in Node. */
type Wide = {
  readonly document: {
    readonly documentElement: { readonly scrollWidth: number };
    readonly activeElement: unknown;
  };
  readonly MutationObserver: new (
    tell: () => void,
  ) => { observe(node: unknown, options: Readonly<Record<string, boolean>>): void };
  getComputedStyle(element: unknown): { readonly outlineStyle: string; readonly boxShadow: string };
};
