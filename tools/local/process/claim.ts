import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { readProcessIdentity } from "./process-identity.ts";

/** How long a leftover may take to stop by itself before it is killed. */
const stopTimeoutMs = 10_000;
const pollIntervalMs = 50;

/** The folder belongs to a process that is running. */
export class ClaimedElsewhere extends Error {
  override name = "ClaimedElsewhere";
  readonly pid: number;
  constructor(pid: number) {
    super(`claimed by process ${pid}`);
    this.pid = pid;
  }
}

/** One line of a claim: a process, the signal that stops it, and which process of that pid is meant. */
type Line = {
  readonly pid: number;
  readonly stopSignal: NodeJS.Signals;
  readonly identity: string;
};

/**
 * Claims `file` for this process: its first line names the owner, the others (`writeRunning`) the
 * processes it started. Throws `ClaimedElsewhere` while the owner lives. If it was killed, what it
 * left running is stopped first.
 */
export async function claim(file: string): Promise<void> {
  const [owner] = readLines(file);
  if (owner !== undefined && isRunning(owner)) throw new ClaimedElsewhere(owner.pid);
  await stopLeftovers(file);
  const own = `${file}.${process.pid}`;
  writeRunning(own, []);
  try {
    // Fails if somebody else was faster, unlike a write or a rename.
    linkSync(own, file);
  } catch (error) {
    const [faster] = readLines(file);
    if (faster === undefined) throw error;
    throw new ClaimedElsewhere(faster.pid);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Gives the claim up; the processes it lists are no longer anybody's to stop. */
export function release(file: string): void {
  rmSync(file, { force: true });
}

/** Writes down, in one step, this process as the owner and what runs, in the order of starting. */
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
 * Stops, last started first, every listed process that is still the one written down, kills what
 * does not stop within 10 s together with its process group, and removes the file.
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

/** Sends a signal to a process, or to a group by its negative id; nobody there is fine. */
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
