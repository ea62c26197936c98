import { readFileSync } from "node:fs";
import { join } from "node:path";
import { arch, execPath, platform } from "node:process";
import { fillOnce } from "../local/fetch/fill-once.ts";
import { runTool } from "../local/process/run-tool.ts";
import type { BrowserProgram } from "./browser-program.ts";

const packageName = "@sparticuz/chromium";
const unpackTimeoutMs = 120_000;
const unpack = `
  import chromium from "${packageName}";
  await chromium.executablePath();
`;

/**
 * Unpacks the Chromium from npm into the cache, once per version: 210 MB. Throws if the package has
 * none for this system.
 */
export async function unpackPackagedChromium(options: {
  /** The project's root. */
  readonly root: string;
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly log: (line: string) => void;
}): Promise<BrowserProgram> {
  const { root, cacheDir, env, signal, log } = options;
  const system = `${platform}-${arch}`;
  if (system !== "linux-x64")
    throw new Error(`the npm package ${packageName} has no Chromium for ${system}`);
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const place = join(cacheDir, "browser", `packaged-${manifest.devDependencies[packageName]}`);
  await fillOnce(place, async (partial) => {
    log("unpacking Chromium from its npm package, once");
    await runTool(execPath, ["--input-type=module", "--eval", unpack], {
      // The package unpacks into the folder for temporary files. It unpacks its libraries (such as
      // NSS), which other systems lack, only if it detects AWS Lambda.
      env: { ...env, TMPDIR: partial, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x" },
      cwd: root,
      signal,
      timeoutMs: unpackTimeoutMs,
    });
  });
  return {
    path: join(place, "chromium"),
    env: { LD_LIBRARY_PATH: join(place, "al2023/lib") },
  };
}
