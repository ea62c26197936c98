import type { Locator, Page } from "playwright-core";
import { en, type Messages } from "../../../web/src/i18n/en.ts";
import { createFormat, type Format } from "../../../web/src/i18n/format.ts";
import { ru } from "../../../web/src/i18n/ru.ts";

export type Language = "en" | "ru";
export type OrderStatus = keyof Messages["orders"]["status"];

/** A user of the page, who finds elements by their text and never by their markup. */
export type Person = {
  readonly page: Page;
  /** The texts of the page in this person's language. */
  readonly m: Messages;
  readonly format: Format;
  button(name: string): Locator;
  field(label: string): Locator;
  /** A link of the main navigation. */
  menu(name: string): Locator;
  signIn(name: string): Promise<void>;
  openAccount(currency: string): Promise<void>;
  /** Tops up and waits until the dialog has closed. */
  topUp(amount: string): Promise<void>;
  /** Fills in an order and submits it. */
  order(what: string, amount: string, currency?: string): Promise<void>;
  /** The line of an order in the list. */
  line(what: string): Locator;
  /** Waits until the line of the order shows the status. */
  sees(what: string, status: OrderStatus): Promise<void>;
  /** Waits until the page shows this balance, in minor units. */
  seesBalance(minorUnits: number, currency: string): Promise<void>;
  /** Waits until the page shows this state of its connection. */
  seesLive(state: "live" | "reconnecting" | "offline"): Promise<void>;
};

/** Creates a person at an open page. */
export function personAt(page: Page, language: Language): Person {
  const m = { en, ru }[language];
  const format = createFormat(language);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const field = (label: string) => page.getByLabel(label, { exact: true });
  const line = (what: string) =>
    page.getByRole("listitem").filter({ has: page.getByRole("link", { name: what, exact: true }) });
  return {
    page,
    m,
    format,
    button,
    field,
    line,
    menu: (name) => page.getByRole("navigation").getByRole("link", { name, exact: true }),
    async signIn(name) {
      await field(m.signIn.name).fill(name);
      await button(m.signIn.submit).click();
      await button(m.page.signOut).waitFor();
    },
    async openAccount(currency) {
      await field(m.account.currency).selectOption(currency);
      await button(m.account.open).click();
      await button(m.account.topUp).waitFor();
    },
    async topUp(amount) {
      await button(m.account.topUp).click();
      const dialog = page.getByRole("dialog", { name: m.account.topUpTitle });
      await dialog.getByRole("textbox").fill(amount);
      await dialog.getByRole("button", { name: m.account.submit, exact: true }).click();
      await dialog.waitFor({ state: "detached" });
    },
    async order(what, amount, currency = "EUR") {
      await field(m.account.amountIn(currency)).fill(amount);
      await field(m.orders.what).fill(what);
      await button(m.orders.place).click();
    },
    async sees(what, status) {
      await line(what).getByText(m.orders.status[status], { exact: true }).waitFor();
    },
    async seesBalance(minorUnits, currency) {
      const text = format.money({ minorUnits: BigInt(minorUnits), currency });
      await page.locator("output").filter({ hasText: text }).waitFor();
    },
    async seesLive(state) {
      await page
        .getByRole("status")
        .and(page.getByText(m.live[state], { exact: true }))
        .waitFor();
    },
  };
}
