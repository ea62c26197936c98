import assert from "node:assert/strict";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import type { Page } from "playwright-core";
import { successOf } from "../harness/calls/call.ts";
import type { Person } from "../harness/page/person.ts";
import { someone, useStage } from "../harness/page/stage.ts";

const widths = [360, 768, 1_280];
const largest = 1_000_000_000_000n;
const { createAccount, deposit } = PaymentsService.method;

describe("large amounts on the page", function () {
  this.timeout(120_000);
  const stage = useStage();

  for (const currency of ["RUB", "KWD", "JPY", "USD"]) {
    it(`fit every view at every width, without a break inside, in ${currency}`, async () => {
      const { call } = stage().system;
      const userId = someone();
      await successOf(call(createAccount, { userId, currency }));
      const amount = { minorUnits: largest, currency };
      for (let times = 0; times < 3; times += 1) {
        await successOf(call(deposit, { userId, amount }));
      }
      await using visit = await stage().visit({ language: "en" });
      const { person } = visit;
      const { page } = person;
      await person.signIn(userId);
      await person.field(person.m.orders.what).waitFor();
      const faults: string[] = [];
      const look = async (view: string) => {
        for (const width of widths) {
          await page.setViewportSize({ width, height: 800 });
          for (const fault of await faultsIn(page, width)) {
            faults.push(`${view} at ${width}: ${fault}`);
          }
        }
      };
      await page
        .locator(".new-order input")
        .first()
        .fill("9999999999".slice(0, currency === "KWD" ? 9 : 10));
      await person.field(person.m.orders.what).fill("a large order");
      await person.button(person.m.orders.place).click();
      await person.sees("a large order", "paid");
      for (const language of ["en", "ru"] as const) {
        await look(`orders, ${language}`);
        await page.locator(".account button").first().click();
        await page.getByRole("dialog").getByRole("textbox").fill("999999999");
        await look(`top-up, ${language}`);
        await page.keyboard.press("Escape");
        await person.line("a large order").getByRole("link").click();
        await page.locator(".receipt-amount").waitFor();
        await look(`order, ${language}`);
        await page.locator('nav a[href="/statement"]').click();
        await page.getByRole("table").waitFor();
        await look(`statement, ${language}`);
        await page.locator('nav a[href="/"]').click();
        await person.line("a large order").waitFor();
        if (language === "en") await changeLanguage(person);
      }
      assert.deepEqual(faults, []);
    });
  }
});

async function changeLanguage({ page, m }: Person): Promise<void> {
  await page.getByRole("button", { name: m.language.change }).click();
  await page.getByRole("button", { name: "English" }).waitFor();
}

/** Says what is wider than the page, and which numbers have a line break inside. */
function faultsIn(page: Page, width: number): Promise<readonly string[]> {
  return page.evaluate((limit) => {
    const { document, NodeFilter } = globalThis as unknown as InBrowser;
    const faults: string[] = [];
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > limit) faults.push(`${scrollWidth} pixels wide`);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      // For screen readers only.
      if (node.parentElement.closest(".hidden")) continue;
      for (const { index, 0: number } of node.data.matchAll(/\d[\d.,\s]*\d|[A-Z]{3}/g)) {
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + number.length);
        const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
        if (new Set(boxes.map(({ top }) => Math.round(top))).size > 1) {
          faults.push(`a break inside ${number}`);
        }
        if (boxes.some(({ right }) => right > limit + 1)) faults.push(`${number} is cut off`);
      }
    }
    return faults;
  }, width);
}

/** Browser globals, which are unknown to these tests in Node. */
type TextNode = {
  readonly data: string;
  readonly parentElement: { closest(selector: string): object | null };
};
type InBrowser = {
  readonly document: {
    readonly body: object;
    readonly documentElement: { readonly scrollWidth: number };
    createTreeWalker(root: object, show: number): { nextNode(): TextNode | null };
    createRange(): {
      setStart(node: TextNode, at: number): void;
      setEnd(node: TextNode, at: number): void;
      getClientRects(): Iterable<{
        readonly top: number;
        readonly right: number;
        readonly width: number;
      }>;
    };
  };
  readonly NodeFilter: { readonly SHOW_TEXT: number };
};
