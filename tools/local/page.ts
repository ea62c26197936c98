import { join } from "node:path";
import type { Child, Nursery } from "./nursery.ts";
import { isAnswering, waitUntilReady } from "./ready.ts";
import { runTool } from "./run-tool.ts";

const buildTimeoutMs = 120_000;
const startTimeoutMs = 30_000;
/** It gives answers under way 5 s. */
const stopTimeoutMs = 10_000;

/** A page that is served. Disposing it stops its server gracefully. */
export interface RunningPage extends AsyncDisposable {
  readonly child: Child;
}

/**
 * Builds the page into `folder`, in a second or two; what was there is replaced. Throws with the
 * builder's last words where it does not build.
 */
export async function buildPage(options: {
  /** The project's root. */
  readonly root: string;
  readonly folder: string;
  /** Our own environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Aborting it ends the build. */
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { root, folder, env, signal } = options;
  const args = [join(root, "web/build.ts"), folder];
  // A process of its own: a bundler is nothing to keep in memory.
  await runTool(process.execPath, args, { env, signal, timeoutMs: buildTimeoutMs });
}

/**
 * Starts `web/server/main.ts` with the Node that runs us, on loopback, and answers once its `/healthz`
 * does. Throws `PartFailure` with the reason otherwise.
 */
export async function startPage(options: {
  readonly nursery: Nursery;
  /** The project's root. */
  readonly root: string;
  readonly port: number;
  /** Where `buildPage` has put it. */
  readonly folder: string;
  /** The edge, as browsers reach it. */
  readonly edgeUrl: string;
  /** Who signs people in: the server's variables for it, `DEV_ISSUER_URL` or `OIDC_*`. */
  readonly signIn: Readonly<Record<string, string>>;
  readonly logLevel: string;
  /** Names the log file; default `page`. */
  readonly name?: string;
}): Promise<RunningPage> {
  const { nursery, root, port, name = "page" } = options;
  const child = await nursery.spawn({
    name,
    command: process.execPath,
    args: [join(root, "web/server/main.ts")],
    cwd: root,
    env: {
      HOST: "127.0.0.1",
      PORT: String(port),
      PAGE_FOLDER: options.folder,
      EDGE_URL: options.edgeUrl,
      LOG_LEVEL: options.logLevel,
      ...options.signIn,
    },
    stopTimeoutMs,
  });
  await waitUntilReady({
    what: "The page's server",
    child,
    isReady: () => isAnswering(`http://127.0.0.1:${port}/healthz`),
    timeoutMs: startTimeoutMs,
  });
  return { child, [Symbol.asyncDispose]: () => child.stop() };
}
