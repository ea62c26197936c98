import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { findProgram } from "../local/process/run-tool.ts";
import type { BrowserProgram } from "./browser-program.ts";
import { unpackDebianChromium } from "./debian-chromium.ts";
import { writeFontsConfig } from "./fonts.ts";
import { unpackPackagedChromium } from "./packaged-chromium.ts";

const launchTimeoutMs = 30_000;
const trialTimeoutMs = 15_000;
const quotedLines = 4;
const installedNames = [
  "chromium-headless-shell",
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "Google Chrome",
  "Chromium",
];
const macFolders = ["Google Chrome", "Chromium"].map((name) =>
  join("/Applications", `${name}.app`, "Contents/MacOS"),
);

export type BrowserOptions = {
  /** The project's root. */
  readonly root: string;
  /** Where what is unpacked or downloaded is kept. */
  readonly cacheDir: string;
  /** Our own environment: CHROMIUM_PATH, PATH, and whatever apt needs (proxies). */
  readonly env: NodeJS.ProcessEnv;
  /** Aborting it ends a download. */
  readonly signal?: AbortSignal | undefined;
  /** Gets a line for everything that takes its time. */
  readonly log: (line: string) => void;
};

/**
 * Starts a headless Chromium that has just shown a page and taken a picture of it: the one that
 * `CHROMIUM_PATH` names; else the first that works of npm's, an installed one, and Debian's own,
 * unpacked without being installed. Its fonts are npm's, the same everywhere on Linux. Throws with what
 * to install, and with what was wrong with each, where none works.
 */
export async function launchBrowser(options: BrowserOptions): Promise<Browser> {
  const { env, root, cacheDir } = options;
  const fonts = { FONTCONFIG_FILE: writeFontsConfig(root, cacheDir) };
  const tries: readonly (() => Promise<BrowserProgram>)[] = env.CHROMIUM_PATH
    ? [async () => ({ path: env.CHROMIUM_PATH ?? "" })]
    : [
        () => unpackPackagedChromium(options),
        ...findInstalled(env).map((path) => async () => ({ path })),
        () => unpackDebianChromium(options),
      ];
  const reasons: string[] = [];
  for (const find of tries) {
    options.signal?.throwIfAborted();
    try {
      const program = await find();
      return await tryOut(program, { ...definedOnly(env), ...fonts, ...program.env });
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `No browser for the tests could be started.\n  ${reasons.join("\n  ")}\n  ` +
      "Install Google Chrome or Chromium (Debian: sudo apt-get install chromium-headless-shell; " +
      "Fedora: sudo dnf install chromium-headless), or set CHROMIUM_PATH to one.",
  );
}

/** A browser that starts may still die of a missing font or library at the first thing it paints. */
async function tryOut(
  { path }: BrowserProgram,
  env: Readonly<Record<string, string>>,
): Promise<Browser> {
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({
      executablePath: path,
      env,
      timeout: launchTimeoutMs,
      // Whoever runs us stops us in order; the browser ends when its pipe does.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    const page = await browser.newPage();
    await page.setContent("<p>Оплачено 1 ₽", { timeout: trialTimeoutMs });
    await page.screenshot({ timeout: trialTimeoutMs });
    await page.close();
    return browser;
  } catch (error) {
    await browser?.close();
    throw new Error(`${path} shows no page: ${summaryOf(error)}`, { cause: error });
  }
}

/** What failed, and the browser's own last words; without its command line, which is a page long. */
function summaryOf(error: unknown): string {
  const text = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
  const words = [...text.matchAll(/\[err\] (.*)/g)].map(([, line = ""]) => line);
  const unique = [...new Set(words)].slice(-quotedLines);
  return [text.split("\n", 1)[0], ...unique].join("\n    ");
}

function findInstalled(env: NodeJS.ProcessEnv): string[] {
  return installedNames.flatMap((name) => findProgram(name, env, macFolders) ?? []);
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => !!entry[1]);
  return Object.fromEntries(entries);
}
