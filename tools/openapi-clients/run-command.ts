import { spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import type { Command } from "./client.ts";

/** More output than this is dropped: the reason of a failure is in what came before. */
const maxOutputCharacters = 1_000_000;

/** A program that failed; the message is its first complaint, in one line. */
export class ToolFailure extends Error {
  /** Everything that the program printed. */
  readonly output: string;

  constructor(reason: string, output: string) {
    super(reason);
    this.output = output;
  }
}

/**
 * Runs a program and returns what it prints on stdout. Throws a {@link ToolFailure} if it is
 * missing, fails, or takes longer than `timeoutMs`; aborting the signal kills it too.
 */
export async function runCommand(
  { command, args, env, cwd }: Command,
  options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
    /** Called with each line on stdout. */
    readonly onLine?: (line: string) => void;
  },
): Promise<string> {
  const { timeoutMs, signal, onLine } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    killSignal: "SIGKILL",
  });
  let [stdout, output] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (output.length > maxOutputCharacters) return;
    const seen = stdout.lastIndexOf("\n") + 1;
    stdout += text;
    output += text;
    for (const line of stdout.slice(seen).split("\n").slice(0, -1)) onLine?.(line);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (output.length < maxOutputCharacters) output += text;
  });
  try {
    const [code] = await once(child, "close");
    if (code === 0) return stdout;
    throw new ToolFailure(findReason(output) || `${command} exited with ${code}`, output);
  } catch (error) {
    if (error instanceof ToolFailure) throw error;
    if (signal?.aborted) throw signal.reason;
    if (timeout.aborted) {
      throw new ToolFailure(`it took longer than ${timeoutMs / 1_000} s`, output);
    }
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new ToolFailure(missing ? `${command} is not installed` : String(error), output);
  }
}

/** Lines that say what is wrong, the most telling first. */
const complaints = [
  /\b(?:error TS\d+|AssertionError)\b/,
  /: error: /,
  /^\S*\.go:\d+:\d+: /m,
  /(?:^|\s)(?:[\w.]+\.)?\w*(?:Error|Exception): \S/,
  /\b(?:ERROR|[Ee]rror|panic|failed|not implemented|not supported)\b/,
];
const maxReasonCharacters = 200;

/** Returns the line that says why a program failed; the last line if none is known to. */
export function findReason(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const found = complaints.map((known) => lines.find((line) => known.test(line))).find(Boolean);
  const reason = found ?? lines.at(-1) ?? "";
  return reason.length > maxReasonCharacters
    ? `${reason.slice(0, maxReasonCharacters)} ...`
    : reason;
}
