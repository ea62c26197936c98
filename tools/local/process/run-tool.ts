import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const outputMaxBytes = 10_000_000;
const messageLines = 6;

/**
 * Runs a program and returns its output on stdout. Throws with the end of its stderr if it is
 * missing, fails, or takes longer than `timeoutMs`.
 */
export async function runTool(
  command: string,
  args: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv;
    readonly timeoutMs: number;
    /** By default that of this process. */
    readonly cwd?: string;
    /** Aborting it stops the program. */
    readonly signal?: AbortSignal | undefined;
  },
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, {
      env: options.env,
      cwd: options.cwd,
      signal: options.signal,
      timeout: options.timeoutMs,
      maxBuffer: outputMaxBytes,
    });
    return stdout;
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
    if (code === "ENOENT") throw new Error(`${command} is not installed`, { cause: error });
    const words = stderr?.trim().split("\n").slice(-messageLines).join("\n    ");
    const why = killed ? `took longer than ${options.timeoutMs / 1000} s` : `failed (${code})`;
    throw new Error(`${command} ${args[0] ?? ""} ${why}: ${words}`, { cause: error });
  }
}

/**
 * Returns the real path of a program in PATH or in `further` folders; undefined if it is missing.
 */
export function findProgram(
  name: string,
  env: NodeJS.ProcessEnv,
  further: readonly string[] = [],
): string | undefined {
  const folders = [...(env.PATH ?? "").split(delimiter).filter(Boolean), ...further];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return found && realpathSync(found);
}
