import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { faultsOf } from "../harness/page/axe.ts";
import { someone, useStage } from "../harness/page/stage.ts";

/** What a call answers that cannot succeed for everybody, and why. */
const refused = {
  // The order of the example is paid; one whose payment is pending is so for some milliseconds.
  "OrdersService-OrdersService_CancelOrder": [400, 409],
  // Signing in has opened the account.
  "PaymentsService-PaymentsService_CreateAccount": [409],
} as const satisfies Readonly<Record<string, readonly number[]>>;

const languages = [
  ["TypeScript", /await settle\.\w+\.\w+\(\{|of settle\.\w+\.\w+\(\{/],
  ["Python", /requests\.request\(/],
  ["curl", /curl/],
] as const;

describe("the page that documents the API", function () {
  this.timeout(120_000);
  const stage = useStage();

  async function open(options: BrowserContextOptions = {}) {
    const { context } = await stage().visit();
    const browser = context.browser() ?? assert.fail("no browser");
    await context.close();
    const own = await browser.newContext({ reducedMotion: "reduce", ...options });
    // The issuer of the tests knows the page's origin, and not that of this system's edge.
    await own.route("**/token", async (route) => {
      const { origin } = stage();
      const response = await route.fetch({ headers: { ...route.request().headers(), origin } });
      const allowed = { "access-control-allow-origin": "*" };
      await route.fulfill({ response, headers: { ...response.headers(), ...allowed } });
    });
    const page = await own.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    return {
      page,
      errors,
      context: own,
      [Symbol.asyncDispose]: () => own.close(),
    };
  }

  const atEdge = (path: string) => `${stage().system.edgeUrl}${path}`;
  const signIn = async (page: Page, name: string) => {
    await page.getByLabel("Sign in as").fill(name);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    const said = page.locator("#sign-in output").getByText(/The fields show|failed/);
    await said.waitFor();
    assert.match(await said.innerText(), /The fields show your account and an order/);
  };
  const ids = (page: Page) =>
    page
      .locator(".opblock")
      .evaluateAll((blocks) => (blocks as unknown as { id: string }[]).map(({ id }) => id));

  it("is where the edge leads, with or without a slash", async () => {
    for (const path of ["/", "/swagger", "/swagger/", "/swagger/docs/"]) {
      const { status, headers } = await fetch(atEdge(path), { redirect: "manual" });
      assert.equal(status, 301, path);
      assert.equal(new URL(headers.get("location") ?? "", atEdge(path)).pathname, "/swagger/docs");
    }
  });

  it("executes every call at once, filled in for whoever signs in, and shows its code", async () => {
    await using visit = await open();
    const { page, errors } = visit;
    const name = someone();
    await page.goto(atEdge("/swagger/docs"));
    await page.locator(".opblock").first().waitFor();
    await signIn(page, name);
    const operations = (await ids(page)).map((id) => id.replace(/^operations-/, ""));
    assert.ok(operations.length >= 11);
    for (const operation of operations) {
      const block = page.locator(`[id="operations-${operation}"]`);
      await block.locator(".opblock-summary-control").click();
      const answered = page.waitForResponse((response) => response.url().includes("/gateway/"));
      await block.getByRole("button", { name: "Execute" }).click();
      const status = (await answered).status();
      const expected: readonly number[] = (refused as Record<string, readonly number[]>)[
        operation
      ] ?? [200];
      assert.ok(expected.includes(status), `${operation} answers ${status}`);
      await block.locator(".live-responses-table .response-col_status").first().waitFor();
      for (const [title, code] of operation === operations[0] ? languages : languages.slice(0, 1)) {
        await block.getByRole("button", { name: title, exact: true }).click();
        assert.match(await block.locator(".curl-command").innerText(), code);
      }
      if (operation.endsWith("WatchOrders")) {
        assert.match(
          await block.locator(".live-responses-table").innerText(),
          /This page has shown/,
        );
      }
      await block.locator(".opblock-summary-control").click();
    }
    assert.deepEqual(errors, []);
  });

  it("sends calls from plain http on a name, where browsers have no randomUUID", async () => {
    await using visit = await open();
    const { page, context } = visit;
    await context.addInitScript(() => {
      Object.defineProperty(crypto, "randomUUID", { value: undefined });
    });
    await page.goto(atEdge("/swagger/docs"));
    await page.locator(".opblock").first().waitFor();
    await signIn(page, someone());
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`fits a phone, and can be read and used by keyboard, ${colorScheme}`, async () => {
      await using visit = await open({ colorScheme, viewport: { width: 360, height: 740 } });
      const { page } = visit;
      await page.goto(atEdge("/swagger/docs"));
      await page.locator(".opblock").first().waitFor();
      await signIn(page, someone());
      const block = page.locator('[id$="OrdersService_CreateOrder"]');
      await block.locator(".opblock-summary-control").click();
      await block.getByRole("button", { name: "Execute" }).click();
      await block.locator(".live-responses-table").waitFor();
      const [wide, loose] = await page.evaluate(() => {
        const { document, getComputedStyle } = globalThis as unknown as InBrowser;
        const scrolls = (box: Box): boolean =>
          getComputedStyle(box).overflowX !== "visible" ||
          (box.parentElement !== null && scrolls(box.parentElement));
        const isWide = (box: Box) =>
          box.getBoundingClientRect().right > 361 &&
          box.parentElement &&
          !scrolls(box.parentElement);
        const isLoose = (box: Box) => box.scrollWidth > box.clientWidth && box.tabIndex < 0;
        const htmlOf = ({ outerHTML }: Box) => outerHTML.slice(0, 200);
        return [
          [...document.querySelectorAll("body *")].filter(isWide).map(htmlOf),
          [...document.querySelectorAll("pre")].filter(isLoose).map(htmlOf),
        ] as const;
      });
      assert.deepEqual(wide, []);
      assert.deepEqual(loose, []);
      assert.deepEqual(await faultsOf(page, ["color-contrast", "scrollable-region-focusable"]), []);
    });
  }
});

/** Browser globals, which are unknown to these tests in Node. */
type Box = {
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly tabIndex: number;
  readonly outerHTML: string;
  readonly parentElement: Box | null;
  getBoundingClientRect(): { readonly right: number };
};
type InBrowser = {
  readonly document: { querySelectorAll(selector: string): Iterable<Box> };
  getComputedStyle(box: Box): { readonly overflowX: string };
};
