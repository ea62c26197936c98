import { join } from "node:path";
import type { Child, Nursery } from "../process/nursery.ts";
import { isAnswering, waitUntilReady } from "../process/ready.ts";

const host = "127.0.0.1";

/** A server program of this repository. Disposing it stops it gracefully. */
export interface RunningProgram extends AsyncDisposable {
  readonly child: Child;
}

/**
 * Starts a program of this repository on loopback, with the Node of this process. Resolves when its
 * `/healthz` responds; throws `PartFailure` with the reason otherwise.
 */
export async function startNodeProgram(options: {
  readonly nursery: Nursery;
  /** Names the log file. */
  readonly name: string;
  /** Its name in error messages. */
  readonly what: string;
  /** The project's root. */
  readonly root: string;
  /** The options of Node, by default none. */
  readonly nodeOptions?: readonly string[];
  /** Its file, relative to the root. */
  readonly main: string;
  readonly port: number;
  /** Its variables, except HOST and PORT. */
  readonly env: NodeJS.ProcessEnv;
  /** How long it may take to respond. */
  readonly startTimeoutMs: number;
  /** How long it may take to stop before it is killed. */
  readonly stopTimeoutMs: number;
}): Promise<RunningProgram> {
  const { nursery, name, what, root, nodeOptions = [], main, port, env } = options;
  const child = await nursery.spawn({
    name,
    command: process.execPath,
    args: [...nodeOptions, join(root, main)],
    cwd: root,
    env: { HOST: host, PORT: String(port), ...env },
    stopTimeoutMs: options.stopTimeoutMs,
  });
  await waitUntilReady({
    what,
    child,
    isReady: () => isAnswering(`http://${host}:${port}/healthz`),
    timeoutMs: options.startTimeoutMs,
  });
  return { child, [Symbol.asyncDispose]: () => child.stop() };
}
