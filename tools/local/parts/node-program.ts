import { join } from "node:path";
import type { Child, Nursery } from "../process/nursery.ts";
import { isAnswering, waitUntilReady } from "../process/ready.ts";

const host = "127.0.0.1";

/** A program of ours that serves. Disposing it stops it gracefully. */
export interface RunningProgram extends AsyncDisposable {
  readonly child: Child;
}

/**
 * Starts a program of ours with the Node that runs us, on loopback, and answers once its `/healthz`
 * does. Throws `PartFailure` with the reason otherwise.
 */
export async function startNodeProgram(options: {
  readonly nursery: Nursery;
  /** Names the log file. */
  readonly name: string;
  /** What the reason for a failure calls it. */
  readonly what: string;
  /** The project's root. */
  readonly root: string;
  /** Its file, below the root. */
  readonly main: string;
  readonly port: number;
  /** What configures it, besides where it listens. */
  readonly env: NodeJS.ProcessEnv;
  /** How long it may take to answer. */
  readonly startTimeoutMs: number;
  /** How long it may take to stop before it is killed. */
  readonly stopTimeoutMs: number;
}): Promise<RunningProgram> {
  const { nursery, name, what, root, main, port, env } = options;
  const child = await nursery.spawn({
    name,
    command: process.execPath,
    args: [join(root, main)],
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
