import { join } from "node:path";
import type { Child, Nursery } from "./nursery.ts";
import { isAnswering, waitUntilReady } from "./ready.ts";

const startTimeoutMs = 30_000;
/** It gives answers under way 5 s. */
const stopTimeoutMs = 10_000;

/** A development issuer that serves. Disposing it stops it gracefully. */
export interface RunningDevIssuer extends AsyncDisposable {
  readonly child: Child;
}

/**
 * Starts `tools/dev-issuer/main.ts` with the Node that runs us, on loopback, and answers once its
 * `/healthz` does. Keys are made at the first start and kept. Throws `PartFailure` with the reason
 * otherwise.
 */
export async function startDevIssuer(options: {
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
}): Promise<RunningDevIssuer> {
  const { nursery, root, port } = options;
  const child = await nursery.spawn({
    name: "dev-issuer",
    command: process.execPath,
    args: [join(root, "tools/dev-issuer/main.ts")],
    cwd: root,
    env: {
      HOST: "127.0.0.1",
      PORT: String(port),
      ISSUER_URL: options.issuer,
      AUDIENCE: options.audience,
      KEYS_FOLDER: options.folder,
      CORS_ORIGINS: options.corsOrigins?.join(","),
      LOG_LEVEL: options.logLevel,
    },
    stopTimeoutMs,
  });
  await waitUntilReady({
    what: "The development issuer",
    child,
    isReady: () => isAnswering(`http://127.0.0.1:${port}/healthz`),
    timeoutMs: startTimeoutMs,
  });
  return { child, [Symbol.asyncDispose]: () => child.stop() };
}
