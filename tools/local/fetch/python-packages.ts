import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "../process/run-tool.ts";
import { fillOnce } from "./fill-once.ts";

const installTimeoutMs = 300_000;
const versionTimeoutMs = 10_000;

/**
 * Brings what a requirements file pins from PyPI, once for this file and this Python, and returns the
 * folder to name in `PYTHONPATH`; programs are in its `bin`. Takes wheels only. Throws with pip's own
 * last words when it cannot.
 */
export async function installPythonPackages(options: {
  /** The path of the requirements file. */
  readonly requirements: string;
  /** Whatever pip needs (PATH, proxies). */
  readonly env: NodeJS.ProcessEnv;
  /** The folder's place is inside. */
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
