import assert from "node:assert/strict";
import type { Browser, BrowserContext, ConsoleMessage, Page } from "playwright-core";
import { type Language, type Person, personAt } from "./person.ts";

const actionTimeoutMs = 10_000;
/** The message of a browser for an error response. A missing account must not cause one. */
const refusals = /^Failed to load resource: the server responded with a status of 4\d\d/;

export type VisitOptions = {
  /** Default: English. */
  readonly language?: Language;
  /** Default: a desktop's, 1280 × 800. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Whether the edge may be unreachable meanwhile, for which the browser logs errors. */
  readonly troubled?: boolean;
  /** Changes the browser before it opens the page. */
  readonly prepare?: (context: BrowserContext) => Promise<unknown>;
};

/**
 * A separate browser context with the page, which records faults. Disposing closes it and throws if
 * the page logged an error or a warning, threw an error, violated its policy, or called a wrong
 * origin.
 */
export type Visit = AsyncDisposable & {
  readonly person: Person;
  readonly context: BrowserContext;
  /** Opens another tab of the same browser at this path. */
  tab(path?: string): Promise<Person>;
};

/** Opens the page at its start in a new browser context. */
export async function startVisit(
  options: VisitOptions & {
    readonly browser: Browser;
    readonly origin: string;
    /** The origins that the page may call. */
    readonly hosts: readonly string[];
  },
): Promise<Visit> {
  const { browser, origin, hosts, language = "en", viewport, troubled = false, prepare } = options;
  const context = await browser.newContext({
    baseURL: origin,
    locale: { en: "en-GB", ru: "ru-RU" }[language],
    viewport: viewport ?? { width: 1280, height: 800 },
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(actionTimeoutMs);
  const problems: string[] = [];
  const asked = new Set<string>();
  context.on("console", (message) => {
    if (isProblem(message, troubled)) problems.push(`${message.type()}: ${message.text()}`);
  });
  context.on("weberror", (thrown) => problems.push(`thrown: ${thrown.error()}`));
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "blob:") asked.add(url.origin);
  });
  await prepare?.(context);
  const tab = async (path = "/") => {
    const page: Page = await context.newPage();
    await page.goto(path);
    return personAt(page, language);
  };
  return {
    person: await tab(),
    context,
    tab,
    async [Symbol.asyncDispose]() {
      await context.close();
      assert.deepEqual(problems, []);
      assert.deepEqual(
        [...asked].filter((host) => !hosts.includes(host)),
        [],
      );
    },
  };
}

function isProblem(message: ConsoleMessage, troubled: boolean): boolean {
  if (message.type() !== "error" && message.type() !== "warning") return false;
  const text = message.text();
  const isRefusal = refusals.test(text) && !message.location().url.endsWith("/GetAccount");
  return (
    !isRefusal &&
    !(troubled && /^Failed to load resource|net::ERR_|CORS|dynamically imported/.test(text))
  );
}
