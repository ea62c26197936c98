import { globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { arch } from "node:process";
import { runTool } from "../process/run-tool.ts";
import { fillOnce } from "./fill-once.ts";

const updateTimeoutMs = 180_000;
const downloadTimeoutMs = 600_000;
const unpackTimeoutMs = 60_000;

export type DebianPackages = {
  /** The name of the software, for messages and for the folder. */
  readonly name: string;
  readonly packages: readonly string[];
  readonly cacheDir: string;
  /** The environment of this process, with the settings that apt needs (proxies). */
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** Called with a line for each download. */
  readonly log: (line: string) => void;
  /** Adds files to the folder that the packages do not contain. */
  readonly complete?: (root: string) => void;
};

/** A folder with the layout of a root file system, and the folders of its libraries. */
export type UnpackedPackages = {
  readonly root: string;
  readonly libraryPath: string;
};

/**
 * Unpacks packages of this Debian or Ubuntu, with the dependencies that are not installed, into a
 * folder of the cache. Installs nothing and does not need root; runs once per release. apt checks
 * the signatures. Throws if apt or a package is missing.
 */
export async function unpackDebianPackages(options: DebianPackages): Promise<UnpackedPackages> {
  const place = join(options.cacheDir, options.name.toLowerCase(), `${readRelease()}-${arch}`);
  const root = await fillOnce(place, (partial) => unpack(partial, options));
  return { root, libraryPath: globSync(join(root, "{usr/,}lib/*-linux-gnu*")).join(":") };
}

async function unpack(root: string, options: DebianPackages): Promise<void> {
  const { name, packages, env, signal, log, complete } = options;
  const apt = join(root, "apt");
  for (const folder of ["lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(apt, folder), { recursive: true });
  }
  const settings = [
    `Dir::State::Lists=${apt}/lists`,
    `Dir::Cache=${apt}/cache`,
    "Debug::NoLocking=1",
    "APT::Sandbox::User=",
  ].flatMap((setting) => ["-o", setting]);
  const install = ["install", "--no-install-recommends", "--reinstall", "-y", ...settings];

  log(`looking up ${name} in the system's package sources (apt-get update, with separate lists)`);
  await runTool("apt-get", ["update", ...settings], { env, signal, timeoutMs: updateTimeoutMs });
  const uris = await runTool("apt-get", [...install, "--print-uris", "-qq", ...packages], {
    env,
    signal,
    timeoutMs: updateTimeoutMs,
  });
  // Each line: 'uri' file bytes hash
  const sizes = uris
    .trim()
    .split("\n")
    .map((line) => Number(line.split(" ")[2]));
  const megabytes = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1e6);
  log(`downloading ${name} once: ${sizes.length} packages, ${megabytes} MB`);
  await runTool("apt-get", [...install, "--download-only", ...packages], {
    env,
    signal,
    timeoutMs: downloadTimeoutMs,
  });
  for (const file of globSync(join(apt, "cache/archives/*.deb"))) {
    await runTool("dpkg-deb", ["-x", file, root], { env, signal, timeoutMs: unpackTimeoutMs });
  }
  rmSync(apt, { recursive: true });
  complete?.(root);
}

function readRelease(): string {
  let text = "";
  try {
    text = readFileSync("/etc/os-release", "utf8");
  } catch {}
  const read = (key: string) => new RegExp(`^${key}="?([\\w.-]+)`, "m").exec(text)?.[1];
  const family = `${read("ID")} ${/^ID_LIKE="?([^"\n]+)/m.exec(text)?.[1] ?? ""}`;
  if (!/\b(debian|ubuntu)\b/.test(family))
    throw new Error("this system is neither Debian nor Ubuntu");
  return `${read("ID")}-${read("VERSION_ID") ?? "testing"}`;
}
