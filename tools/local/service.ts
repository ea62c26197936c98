import { join } from "node:path";
import type { TokenIssuer } from "./config.ts";
import type { Child, Nursery } from "./nursery.ts";
import { isAnswering, waitUntilReady } from "./ready.ts";

const startTimeoutMs = 60_000;
/** A service gives itself 15 s. */
const stopTimeoutMs = 17_000;

/** A service that serves. Disposing it stops it gracefully. */
export interface RunningService extends AsyncDisposable {
  readonly child: Child;
}

/**
 * Starts `services/<name>/src/main.ts` with the Node that runs us, on loopback, and answers once
 * its `/healthz` does. Throws `PartFailure` with the reason otherwise.
 */
export async function startService(options: {
  readonly nursery: Nursery;
  readonly name: string;
  /** The project's root. */
  readonly root: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  /** Whose tokens it accepts. */
  readonly auth: TokenIssuer;
  readonly logLevel: string;
  /** Further settings of its own. */
  readonly env?: Readonly<Record<string, string>>;
}): Promise<RunningService> {
  const { nursery, name, root, port } = options;
  const child = await nursery.spawn({
    name,
    command: process.execPath,
    args: [join(root, "services", name, "src/main.ts")],
    cwd: root,
    env: {
      HOST: "127.0.0.1",
      PORT: String(port),
      DATABASE_URL: options.databaseUrl,
      AMQP_URL: options.amqpUrl,
      AUTH_ISSUER: options.auth.issuer,
      AUTH_AUDIENCE: options.auth.audience,
      AUTH_JWKS_URL: options.auth.jwksUrl,
      LOG_LEVEL: options.logLevel,
      // The edge is stopped first: nobody is left who would look at the health.
      DRAIN_MS: "0",
      ...options.env,
    },
    stopTimeoutMs,
  });
  await waitUntilReady({
    what: name,
    child,
    isReady: () => isAnswering(`http://127.0.0.1:${port}/healthz`),
    timeoutMs: startTimeoutMs,
  });
  return { child, [Symbol.asyncDispose]: () => child.stop() };
}
