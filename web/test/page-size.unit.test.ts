import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { buildPage } from "../build.ts";

/** The size of all files that are needed to show the orders, compressed as sent. */
const maxFirstViewBytes = 150_000;
const languages = ["en", "ru"];
/** What is loaded only when it is used. */
const later = [
  "find-details",
  "load-view",
  "no-orders",
  "open-account-form",
  "order-view",
  "sign-in-by-oidc",
  "sign-in-view",
  "statement-view",
  "top-up-dialog",
];

describe("the page", () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "settle-page-"));
    await buildPage(folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Returns the built files of a part, by its source file without the extension. */
  const filesOf = (part: string) =>
    globSync(`assets/${part}-*.{js,css}`, { cwd: folder }).map((file) => basename(file));

  /** Returns the files and those that they import, and so on; not what is imported on demand. */
  function withImports(files: readonly string[]): ReadonlySet<string> {
    const found = new Set(files);
    for (const file of found) {
      if (!file.endsWith(".js")) continue;
      const text = readFileSync(join(folder, "assets", file), "utf8");
      for (const [, name = ""] of text.matchAll(/\b(?:from|import)\s*["']\.\/([^"']+)["']/g)) {
        found.add(name);
      }
    }
    return found;
  }

  it("loads less than 150 KB for the first view, in each language", () => {
    const html = readFileSync(join(folder, "index.html"), "utf8");
    const named = [...html.matchAll(/\/assets\/([^"]+)"/g)].map(([, name = ""]) => name);
    assert.ok(named.length > 1, html);
    const others = ["index.html", "favicon.svg"];
    for (const language of languages) {
      const texts = filesOf(language);
      assert.equal(texts.length, 1, `one file of texts in ${language}`);
      const assets = withImports([...named, ...texts]);
      const files = [...others, ...[...assets].map((name) => `assets/${name}`)];
      const sizes = files.map((file) => statSync(join(folder, `${file}.gz`)).size);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(bytes < maxFirstViewBytes, `${bytes} bytes: ${files.join(" ")}`);
      const absent = [...later, ...languages.filter((other) => other !== language)];
      for (const part of absent) {
        const own = filesOf(part);
        assert.ok(own.length > 0, `${part} has a file of its own`);
        for (const file of own) assert.ok(!assets.has(file), `${file} is loaded later`);
      }
    }
  });
});
