import type { Nursery } from "../process/nursery.ts";
import { type RunningProgram, startNodeProgram } from "./node-program.ts";

const startTimeoutMs = 30_000;
/** It waits up to 5 s for requests in progress. */
const stopTimeoutMs = 10_000;

/**
 * Starts the development issuer, `tools/dev-issuer/main.ts`; see {@link startNodeProgram}. The
 * first start creates its keys.
 */
export function startDevIssuer(options: {
  readonly nursery: Nursery;
  /** The project's root. */
  readonly root: string;
  readonly port: number;
  /** The claim `iss` of its tokens. */
  readonly issuer: string;
  /** The claim `aud` of its tokens. */
  readonly audience: string;
  /** The folder of the private keys (mode 0600); created if missing. */
  readonly folder: string;
  /** Origins of pages that may request tokens; by default those of a stack on the default ports. */
  readonly corsOrigins?: readonly string[];
  readonly logLevel: string;
}): Promise<RunningProgram> {
  const { nursery, root, port } = options;
  return startNodeProgram({
    nursery,
    root,
    port,
    name: "dev-issuer",
    what: "The development issuer",
    main: "tools/dev-issuer/main.ts",
    env: {
      ISSUER_URL: options.issuer,
      AUDIENCE: options.audience,
      KEYS_FOLDER: options.folder,
      CORS_ORIGINS: options.corsOrigins?.join(","),
      LOG_LEVEL: options.logLevel,
    },
    startTimeoutMs,
    stopTimeoutMs,
  });
}
