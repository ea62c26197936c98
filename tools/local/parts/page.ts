import { join } from "node:path";
import type { Nursery } from "../process/nursery.ts";
import { runTool } from "../process/run-tool.ts";
import { type RunningProgram, startNodeProgram } from "./node-program.ts";

const buildTimeoutMs = 120_000;
const startTimeoutMs = 30_000;
/** It waits up to 5 s for requests in progress. */
const stopTimeoutMs = 10_000;

/**
 * Builds the page into `folder` and replaces its contents; takes a second or two. Throws with the
 * output of the build if it fails.
 */
export async function buildPage(options: {
  /** The project's root. */
  readonly root: string;
  readonly folder: string;
  /** The environment of this process. */
  readonly env: NodeJS.ProcessEnv;
  /** Aborting it cancels the build. */
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { root, folder, env, signal } = options;
  const args = [join(root, "web/build.ts"), folder];
  // A separate process, so that the bundler does not stay in memory.
  await runTool(process.execPath, args, { env, signal, timeoutMs: buildTimeoutMs });
}

/** Starts the page's server, `web/server/main.ts`; see {@link startNodeProgram}. */
export function startPage(options: {
  readonly nursery: Nursery;
  /** The project's root. */
  readonly root: string;
  readonly port: number;
  /** The folder of `buildPage`. */
  readonly folder: string;
  /** The URL of the edge for browsers. */
  readonly edgeUrl: string;
  /** The variables of the server for sign-in: `DEV_ISSUER_URL` or `OIDC_*`. */
  readonly signIn: Readonly<Record<string, string>>;
  /** Where it serves its metrics; by default it does not. */
  readonly metricsPort?: number;
  readonly logLevel: string;
}): Promise<RunningProgram> {
  const { folder, edgeUrl, signIn, metricsPort, logLevel, ...program } = options;
  return startNodeProgram({
    name: "page",
    what: "The page's server",
    main: "web/server/main.ts",
    env: {
      PAGE_FOLDER: folder,
      EDGE_URL: edgeUrl,
      METRICS_PORT: metricsPort === undefined ? "" : String(metricsPort),
      LOG_LEVEL: logLevel,
      ...signIn,
    },
    startTimeoutMs,
    stopTimeoutMs,
    ...program,
  });
}
