import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { claim, release, signalProcess, writeRunning } from "./claim.ts";

const stopTimeoutMs = 20_000;
/** A larger log is renamed before its process starts again; one old log is kept. */
const logMaxBytes = 10_000_000;

/** The process to start. Its environment is `env` only. */
export type SpawnOptions = {
  /** The name of the process and its log file; only one process per name can run. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to stop before it is killed; 20 s by default. */
  readonly stopTimeoutMs?: number;
  /** The target of its output: the log file (default), or the output of this process. */
  readonly output?: "log" | "inherit";
};

/** A running process. Disposing it is `stop()`. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  /**
   * Resolves when the process has ended, with the exit code or 128 + signal, and the reason in
   * words.
   */
  readonly exited: Promise<Exit>;
  /**
   * Stops it cleanly; kills it with its process group at the time limit. Can be called repeatedly.
   */
  stop(): Promise<void>;
}

export type Exit = {
  readonly code: number;
  readonly reason: string;
};

/** Owns child processes: none of them outlives it. */
export interface Nursery extends AsyncDisposable {
  /** Starts a process; throws if it cannot start or the nursery is closing. */
  spawn(options: SpawnOptions): Promise<Child>;
  /** The last pid of each name, running or not. */
  pids(): ReadonlyMap<string, number>;
}

/**
 * Opens a nursery with logs (`<folder>/logs/<name>.log`) and a list of processes in `folder`.
 * Throws `ClaimedElsewhere` if another nursery has this folder open. Stops the processes that a
 * killed nursery left running. Disposing stops all children, in the reverse order of the first
 * start of each name. If this process is killed, a guard process stops them.
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
  // Only the end of the pipe matters; ignores errors if the guard has already ended.
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
    if (closing !== undefined) throw new Error(`${name} is not started: the nursery is stopping`);
  };
  const close = async () => {
    for (const { child } of Array.from(children.values()).reverse()) await child.stop();
    release(runningFile);
    guard.stdin.end();
  };

  return {
    async spawn(options) {
      assertOpen(options.name);
      if (children.get(options.name)?.alive) throw new Error(`${options.name} is already running`);
      await using starting = new AsyncDisposableStack();
      const child = starting.use(await startChild(options, join(logFolder, `${options.name}.log`)));
      // The nursery may have started to close meanwhile, without this child.
      assertOpen(options.name);
      starting.move();
      const entry = { child, stopSignal: options.stopSignal ?? "SIGTERM", alive: true };
      // A name that starts again keeps its position in the stop order.
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
  // Writes directly to the file, which works even after this process has ended.
  const log = openSync(logFile, "a");
  const output = options.output === "inherit" ? "inherit" : log;
  const child = spawn(options.command, options.args, {
    env: options.env,
    cwd: options.cwd,
    uid: options.uid,
    gid: options.gid,
    // A separate process group: Ctrl-C reaches only this process, which stops children in order.
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
    // After its end, its pid may belong to another process.
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
