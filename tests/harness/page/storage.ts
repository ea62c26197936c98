import type { Page } from "playwright-core";

/** The data that a page has stored in its browser. */
export type Kept = {
  readonly localStorage: Readonly<Record<string, string>>;
  readonly sessionStorage: Readonly<Record<string, string>>;
  readonly databases: readonly object[];
  readonly caches: readonly string[];
  readonly cookie: string;
};

/** Reads all data that a page may have stored. */
export function readKept(page: Page): Promise<Kept> {
  return page.evaluate(async () => {
    const { localStorage, sessionStorage, indexedDB, caches, document } =
      globalThis as unknown as InBrowser;
    return {
      localStorage: { ...localStorage },
      sessionStorage: { ...sessionStorage },
      databases: await indexedDB.databases(),
      caches: await caches.keys(),
      cookie: document.cookie,
    };
  });
}

/** Browser globals, which are unknown to these tests in Node. */
type InBrowser = {
  readonly localStorage: Readonly<Record<string, string>>;
  readonly sessionStorage: Readonly<Record<string, string>>;
  readonly indexedDB: { databases(): Promise<readonly object[]> };
  readonly caches: { keys(): Promise<string[]> };
  readonly document: { readonly cookie: string };
};
