import assert from "node:assert/strict";
import { globSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPage } from "../build.ts";

/** The size of all files that are needed to show the orders, compressed as sent. */
const maxFirstViewBytes = 150_000;
/** Files that are loaded only when the user opens their view. */
const later = /(load-view|sign-in-by-oidc)-/;

describe("the page", () => {
  it("loads less than 150 KB for the first view", async () => {
    const folder = mkdtempSync(join(tmpdir(), "settle-page-"));
    try {
      await buildPage(folder);
      const files = globSync("**/*.gz", { cwd: folder });
      const bytes = (chosen: readonly string[]) =>
        chosen.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
      const isLater = (file: string) => later.test(file);
      const laterFiles = files.filter(isLater);
      assert.equal(laterFiles.length, 3, `fetched later: ${laterFiles}`);
      const first = bytes(files.filter((file) => !isLater(file)));
      assert.ok(first < maxFirstViewBytes, `${first} bytes`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
