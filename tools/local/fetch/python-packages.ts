import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "../process/run-tool.ts";
import { fillOnce } from "./fill-once.ts";

const installTimeoutMs = 300_000;
const versionTimeoutMs = 10_000;

/**
 * Installs the packages of a requirements file from PyPI, once for this file and this Python.
 * Returns the folder for `PYTHONPATH`; programs are in its `bin`. Installs wheels only. Throws with
 * the output of pip if it fails.
 */
export async function installPythonPackages(options: {
  /** The path of the requirements file. */
  readonly requirements: string;
  /** The variables that pip needs (PATH, proxies). */
  readonly env: NodeJS.ProcessEnv;
  /** The parent of the folder. */
  readonly cacheDir: string;
}): Promise<string> {
  const { requirements, env, cacheDir } = options;
  const python = (args: readonly string[], timeoutMs: number) =>
    runTool("python3", args, { env, timeoutMs });
  const version = await python(["-V"], versionTimeoutMs);
  const key = createHash("sha256").update(version).update(readFileSync(requirements));
  const place = join(cacheDir, "python", key.digest("hex").slice(0, 16));
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  pip.push("--only-binary=:all:", "--no-warn-script-location", "--requirement", requirements);
  return fillOnce(place, async (partial) => {
    await python([...pip, "--target", partial], installTimeoutMs);
  });
}
