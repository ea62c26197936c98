import type { Nursery } from "../process/nursery.ts";
import { type RunningProgram, startNodeProgram } from "./node-program.ts";

const startTimeoutMs = 30_000;
/** It gives answers under way 5 s. */
const stopTimeoutMs = 10_000;

/**
 * Starts the development issuer, `tools/dev-issuer/main.ts`; see {@link startNodeProgram}. Keys are made
 * at the first start and kept.
 */
export function startDevIssuer(options: {
  readonly nursery: Nursery;
  /** The project's root. */
  readonly root: string;
  readonly port: number;
  /** What tokens say in `iss`. */
  readonly issuer: string;
  /** What tokens say in `aud`. */
  readonly audience: string;
  /** Made where missing; holds the private keys (mode 0600). */
  readonly folder: string;
  /** Pages that may ask for tokens; default those of a stack on the usual ports. */
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
