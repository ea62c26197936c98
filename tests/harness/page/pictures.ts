/** `npm run pictures`: takes the pictures of the README from its own system, into docs/images/. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { launchBrowser } from "../../../tools/browser/launch-browser.ts";
import { abortOnStop } from "../../../tools/local/process/stop-signal.ts";
import { startScratchStack } from "../../../tools/local/scratch-stack.ts";
import { personAt } from "./person.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const cacheDir = join(root, ".cache");
const images = join(root, "docs/images");
const size = { width: 1120, height: 800 };
/** A smaller viewport, in which the documents are easier to read. */
const docsSize = { width: 1120, height: 560 };
const maxPictureBytes = 150_000;

async function take(page: Page, name: string): Promise<void> {
  // Moves the pointer away from all elements.
  await page.mouse.move(0, 0);
  const path = join(images, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  const { size: bytes } = statSync(path);
  console.log(`docs/images/${name}.png: ${Math.round(bytes / 1_000)} KB`);
  if (bytes > maxPictureBytes) throw new Error(`${path} has more than ${maxPictureBytes} bytes`);
}

async function takeAll(stack: AsyncDisposableStack, signal: AbortSignal): Promise<void> {
  const { ports, pids } = stack.use(
    await startScratchStack({
      root,
      prefix: "settle-pictures-",
      page: true,
      signal,
      report: (name, state) => console.log(`${name}: ${state}`),
    }),
  );
  const origin = `http://localhost:${ports.page}`;
  const docs = `http://localhost:${ports.edge}/swagger/docs`;
  const browser = await launchBrowser({ root, cacheDir, env: process.env, log: console.log });
  stack.defer(() => browser.close());
  const page = await browser.newPage({
    viewport: size,
    deviceScaleFactor: 2,
    locale: "en-GB",
    colorScheme: "light",
  });
  const person = personAt(page, "en");
  const { m } = person;
  const payments = pids.get("payments") ?? 0;

  await page.goto(origin);
  await person.field(m.signIn.name).fill("alice");
  await take(page, "page-start");

  await person.signIn("alice");
  await person.openAccount("EUR");
  await person.seesLive("live");
  await person.button(m.account.topUp).click();
  await page.getByRole("dialog").getByRole("textbox").fill("50");
  await take(page, "page-top-up");
  await page.getByRole("dialog").getByRole("button", { name: m.account.submit }).click();
  await person.seesBalance(5_000, "EUR");

  await person.order("Coffee for the team", "12.50");
  await person.sees("Coffee for the team", "paid");
  await person.order("A boat", "900");
  await person.sees("A boat", "declined");
  // Stopped, to show a state that otherwise lasts milliseconds.
  process.kill(payments, "SIGSTOP");
  try {
    await person.order("Two tickets, row 7", "24");
    await person.sees("Two tickets, row 7", "pending");
    await person.button(m.orders.cancelOf("Two tickets, row 7")).waitFor();
    await take(page, "page-order-placed");
  } finally {
    process.kill(payments, "SIGCONT");
  }
  await person.sees("Two tickets, row 7", "paid");
  await person.line("Coffee for the team").getByRole("link").click();
  await page.getByText(m.order.steps.debited).waitFor();
  await page.getByText(m.order.steps.settled, { exact: true }).waitFor();
  await take(page, "page-order-settled");

  await page.setViewportSize(docsSize);
  await page.goto(docs);
  await page.getByText("/gateway/orders", { exact: true }).first().waitFor();
  await take(page, "docs");
}

const stop = new AbortController();
abortOnStop(stop);
const stack = new AsyncDisposableStack();
try {
  await takeAll(stack, stop.signal);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  // Processes that exit because we stop must not be restarted.
  stop.abort();
  await stack.disposeAsync();
}
process.exit();
