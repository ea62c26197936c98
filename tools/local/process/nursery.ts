import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { claim, release, signalProcess, writeRunning } from "./claim.ts";

const stopTimeoutMs = 20_000;
/** A log longer than this is put aside (one generation) before its process starts again. */
const logMaxBytes = 10_000_000;

/** What to run. The process gets no environment but `env`. */
export type SpawnOptions = {
  /** Names the process and its log file; only one of a name runs at a time. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to stop before it is killed; default 20 s. */
  readonly stopTimeoutMs?: number;
  /** Where its output goes: to the log file (default) or where ours goes. */
  readonly output?: "log" | "inherit";
};

/** A running process. Disposing it is `stop()`. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process has ended, with its exit code or 128 + signal, and the reason in words. */
  readonly exited: Promise<Exit>;
  /** Stops it cleanly, kills it with its process group at the time limit; may be called again. */
  stop(): Promise<void>;
}

export type Exit = {
  readonly code: number;
  readonly reason: string;
};

/** The place child processes live in: none of them outlives it. */
export interface Nursery extends AsyncDisposable {
  /** Starts a process; throws if it cannot run or the nursery is closing. */
  spawn(options: SpawnOptions): Promise<Child>;
  /** The process that each name was last started as, whether it runs still or not. */
  pids(): ReadonlyMap<string, number>;
}

/**
 * Opens a nursery that keeps logs (`<folder>/logs/<name>.log`) and its list of processes in
 * `folder`. Only one at a time may: another one that is open makes this throw `ClaimedElsewhere`,
 * and what one that was killed left running is stopped first. Disposing stops all children, in
 * the reverse order of their names' first start. Should this process be killed, a guard process
 * does the same.
 */
export async function startNursery({ folder }: { folder: string }): Promise<Nursery> {
  const logFolder = join(folder, "logs");
  const runningFile = join(folder, "processes");
  mkdirSync(logFolder, { recursive: true });
  await claim(runningFile);
  const guard = spawn(
    process.execPath,
    [fileURLToPath(new URL("./orphan-guard.ts", import.meta.url)), runningFile],
    { detached: true, stdio: ["pipe", "ignore", "ignore"] },
  );
  // Only the end of the pipe matters; that the guard may be gone already does not.
  guard.stdin.on("error", () => {});
  await once(guard, "spawn");
  guard.unref();

  const children = new Map<string, { child: Child; stopSignal: NodeJS.Signals; alive: boolean }>();
  const writeDown = () => {
    const alive = Array.from(children.values()).filter((one) => one.alive);
    writeRunning(
      runningFile,
      alive.map(({ child: { pid }, stopSignal }) => ({ pid, stopSignal })),
    );
  };
  let closing: Promise<void> | undefined;
  const assertOpen = (name: string) => {
    if (closing !== undefined) throw new Error(`${name} is not started: we are stopping`);
  };
  const close = async () => {
    for (const { child } of Array.from(children.values()).reverse()) await child.stop();
    release(runningFile);
    guard.stdin.end();
  };

  return {
    async spawn(options) {
      assertOpen(options.name);
      if (children.get(options.name)?.alive) throw new Error(`${options.name} runs already`);
      await using starting = new AsyncDisposableStack();
      const child = starting.use(await startChild(options, join(logFolder, `${options.name}.log`)));
      // Closing may have begun while it started, and then does not know it.
      assertOpen(options.name);
      starting.move();
      const entry = { child, stopSignal: options.stopSignal ?? "SIGTERM", alive: true };
      // A name that starts again keeps its place, and so its turn when everything stops.
      children.set(options.name, entry);
      writeDown();
      void child.exited.then(() => {
        entry.alive = false;
        if (closing === undefined) writeDown();
      });
      return child;
    },
    pids: () => new Map(Array.from(children, ([name, { child }]) => [name, child.pid])),
    [Symbol.asyncDispose]() {
      closing ??= close();
      return closing;
    },
  };
}

async function startChild(options: SpawnOptions, logFile: string): Promise<Child> {
  if (existsSync(logFile) && statSync(logFile).size > logMaxBytes) {
    renameSync(logFile, `${logFile}.1`);
  }
  // Straight into the file: output needs nobody who reads it, even when we are gone.
  const log = openSync(logFile, "a");
  const output = options.output === "inherit" ? "inherit" : log;
  const child = spawn(options.command, options.args, {
    env: options.env,
    cwd: options.cwd,
    uid: options.uid,
    gid: options.gid,
    // A group of its own: Ctrl-C in the terminal reaches us only, and we stop in the right order.
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(log);
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, by) => resolve(describeExit(code, by)));
  });
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.name} was started without a process id`);

  const stop = async () => {
    // Once it has ended, its pid may be somebody else's.
    if (child.exitCode === null && child.signalCode === null) {
      signalProcess(pid, options.stopSignal ?? "SIGTERM");
    }
    const kill = () => signalProcess(-pid, "SIGKILL");
    const timer = setTimeout(kill, options.stopTimeoutMs ?? stopTimeoutMs);
    await exited;
    clearTimeout(timer);
    kill();
  };
  let stopped: Promise<void> | undefined;
  const stopOnce = () => {
    stopped ??= stop();
    return stopped;
  };
  return { pid, logFile, exited, stop: stopOnce, [Symbol.asyncDispose]: stopOnce };
}

function describeExit(code: number | null, by: NodeJS.Signals | null): Exit {
  return by === null
    ? { code: code ?? 1, reason: `exit code ${code}` }
    : { code: 128 + constants.signals[by], reason: `ended by ${by}` };
}
