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
  /** The folder for unpacked and downloaded files. */
  readonly cacheDir: string;
  /** The environment of this process: CHROMIUM_PATH, PATH, and the variables of apt (proxies). */
  readonly env: NodeJS.ProcessEnv;
  /** Aborting it stops a download. */
  readonly signal?: AbortSignal | undefined;
  /** Called with a line for each step that takes time. */
  readonly log: (line: string) => void;
};

/**
 * Starts a headless Chromium and checks that it can render a page and take a picture: the one in
 * `CHROMIUM_PATH`, or else the first that works of the one from npm, an installed one, and
 * Debian's, which is unpacked without installing it. On Linux its fonts come from npm. If none
 * works, throws an error with the fault of each and with what to install.
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

/**
 * Checks a browser: one that starts may still crash on its first page, without a font or library.
 */
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
      // Our caller stops us in order; the browser exits when its pipe closes.
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
    throw new Error(`${path} cannot show a page: ${summaryOf(error)}`, { cause: error });
  }
}

/** Returns the failure and the browser's last error lines, without its long command line. */
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
