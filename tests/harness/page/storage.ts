import type { Page } from "playwright-core";

/** What a page has kept in its browser. */
export type Kept = {
  readonly localStorage: Readonly<Record<string, string>>;
  readonly sessionStorage: Readonly<Record<string, string>>;
  readonly databases: readonly object[];
  readonly caches: readonly string[];
  readonly cookie: string;
};

/** Reads everything that a page may have kept. */
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

/** What browsers have and these tests, which run in Node, do not know of. */
type InBrowser = {
  readonly localStorage: Readonly<Record<string, string>>;
  readonly sessionStorage: Readonly<Record<string, string>>;
  readonly indexedDB: { databases(): Promise<readonly object[]> };
  readonly caches: { keys(): Promise<string[]> };
  readonly document: { readonly cookie: string };
};
