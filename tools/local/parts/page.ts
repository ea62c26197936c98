import { join } from "node:path";
import type { Nursery } from "../process/nursery.ts";
import { runTool } from "../process/run-tool.ts";
import { type RunningProgram, startNodeProgram } from "./node-program.ts";

const buildTimeoutMs = 120_000;
const startTimeoutMs = 30_000;
/** It gives answers under way 5 s. */
const stopTimeoutMs = 10_000;

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

/** Starts the page's server, `web/server/main.ts`; see {@link startNodeProgram}. */
export function startPage(options: {
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
}): Promise<RunningProgram> {
  const { folder, edgeUrl, signIn, logLevel, ...program } = options;
  return startNodeProgram({
    name: "page",
    what: "The page's server",
    main: "web/server/main.ts",
    env: { PAGE_FOLDER: folder, EDGE_URL: edgeUrl, LOG_LEVEL: logLevel, ...signIn },
    startTimeoutMs,
    stopTimeoutMs,
    ...program,
  });
}
