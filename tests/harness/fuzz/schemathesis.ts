import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { installPythonPackages } from "../../../tools/local/fetch/python-packages.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const settings = join(root, "tests/harness/fuzz");
const outputMaxBytes = 100_000_000;

/** Which requests schemathesis makes, and for which caller. */
export type Fuzzing = {
  readonly edgeUrl: string;
  /** The user and the scopes of the token. */
  readonly caller: string;
  readonly scopes: readonly string[];
  readonly token: string;
  /** The ids of existing orders, by user. */
  readonly orders: Readonly<Record<string, readonly string[]>>;
  /** The kinds of requests; those of `examples` and `coverage` are fixed. */
  readonly phases: readonly ("examples" | "coverage" | "fuzzing" | "stateful")[];
  /** The number of generated requests per operation, besides the fixed ones. */
  readonly examples: number;
  /** The same seed generates the same requests. */
  readonly seed: number;
  readonly timeoutMs: number;
};

/**
 * Installs schemathesis into the cache, once, and returns its folder. Needs Python 3.11 with pip.
 */
export function installSchemathesis(): Promise<string> {
  return installPythonPackages({
    requirements: join(settings, "requirements.txt"),
    env: process.env,
    cacheDir: join(root, ".cache"),
  });
}

/**
 * Tests the edge against gen/openapi/settle.json, with the settings in schemathesis.toml, and
 * returns the report. If the two differ, throws an error with the report.
 */
export async function runSchemathesis(libraries: string, fuzzing: Fuzzing): Promise<string> {
  const { edgeUrl, caller, scopes, token, orders, timeoutMs } = fuzzing;
  // schemathesis leaves files in its working folder.
  const folder = await mkdtemp(join(tmpdir(), "settle-fuzz-"));
  const args = [
    join(libraries, "bin/schemathesis"),
    "--config-file",
    join(settings, "schemathesis.toml"),
    "run",
    join(root, "gen/openapi/settle.json"),
    "--no-color",
    `--url=${edgeUrl}`,
    `--phases=${fuzzing.phases.join()}`,
    `--max-examples=${fuzzing.examples}`,
    `--seed=${fuzzing.seed}`,
  ];
  const env = {
    ...process.env,
    PYTHONPATH: [libraries, settings].join(delimiter),
    PYTHONDONTWRITEBYTECODE: "1",
    CALLER: caller,
    SCOPES: scopes.join(" "),
    TOKEN: token,
    ORDERS: JSON.stringify(orders),
  };
  try {
    const limits = { timeout: timeoutMs, maxBuffer: outputMaxBytes };
    const ran = await promisify(execFile)("python3", args, { cwd: folder, env, ...limits });
    return ran.stdout;
  } catch (error) {
    const { killed, stdout, stderr } = error as {
      readonly killed?: boolean;
      readonly stdout?: string;
      readonly stderr?: string;
    };
    const late = killed ? `took longer than ${timeoutMs / 1_000} s: ` : "";
    throw new Error(`as ${caller}: ${late}${stdout}${stderr}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
