import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { readProcessIdentity } from "./process-identity.ts";

/** How long a leftover process may take to stop before it is killed. */
const stopTimeoutMs = 10_000;
const pollIntervalMs = 50;

/** Thrown if a running process owns the folder. */
export class ClaimedElsewhere extends Error {
  override name = "ClaimedElsewhere";
  readonly pid: number;
  constructor(pid: number) {
    super(`claimed by process ${pid}`);
    this.pid = pid;
  }
}

/** One line of a claim: a process, the signal that stops it, and its identity (pids are reused). */
type Line = {
  readonly pid: number;
  readonly stopSignal: NodeJS.Signals;
  readonly identity: string;
};

/**
 * Claims `file` for this process. The first line is the owner, the others (`writeRunning`) are the
 * processes that it started. Throws `ClaimedElsewhere` if the owner is running. If the owner was
 * killed, stops the processes that it left running.
 */
export async function claim(file: string): Promise<void> {
  const [owner] = readLines(file);
  if (owner !== undefined && isRunning(owner)) throw new ClaimedElsewhere(owner.pid);
  await stopLeftovers(file);
  const own = `${file}.${process.pid}`;
  writeRunning(own, []);
  try {
    // Unlike a write or a rename, fails if another process was faster.
    linkSync(own, file);
  } catch (error) {
    const [faster] = readLines(file);
    if (faster === undefined) throw error;
    throw new ClaimedElsewhere(faster.pid);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Releases the claim. The processes in it are not stopped by a later claim. */
export function release(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Atomically writes this process as owner and the running processes, in the order of their start.
 */
export function writeRunning(
  file: string,
  running: readonly { readonly pid: number; readonly stopSignal: NodeJS.Signals }[],
): void {
  const lines = [{ pid: process.pid, stopSignal: "SIGTERM" }, ...running].map(
    ({ pid, stopSignal }) => `${pid} ${stopSignal} ${readProcessIdentity(pid) ?? "ended"}\n`,
  );
  writeFileSync(`${file}.new`, lines.join(""));
  renameSync(`${file}.new`, file);
}

/**
 * Stops all listed processes that are still running, in the reverse order of their start, and
 * removes the file. Kills a process with its process group if it does not stop within 10 s.
 */
export async function stopLeftovers(file: string): Promise<void> {
  for (const one of readLines(file).filter(isRunning).reverse()) {
    signalProcess(one.pid, one.stopSignal);
    const deadline = Date.now() + stopTimeoutMs;
    while (isRunning(one) && Date.now() < deadline) await pause(pollIntervalMs);
    signalProcess(-one.pid, "SIGKILL");
  }
  rmSync(file, { force: true });
}

/** Sends a signal to a process, or to a group (negative id); ignores it if there is none. */
export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function isRunning(one: Line): boolean {
  return readProcessIdentity(one.pid) === one.identity;
}

function readLines(file: string): Line[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [pid, stopSignal, identity] = line.split(" ");
    if (identity === undefined) return [];
    return { pid: Number(pid), stopSignal: stopSignal as NodeJS.Signals, identity };
  });
}
