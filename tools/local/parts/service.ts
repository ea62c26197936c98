import { serviceNodeOptions } from "../../../services/services.ts";
import type { TokenIssuer } from "../config.ts";
import type { Nursery } from "../process/nursery.ts";
import { type RunningProgram, startNodeProgram } from "./node-program.ts";

const startTimeoutMs = 60_000;
/** A service takes up to 15 s to stop. */
const stopTimeoutMs = 17_000;

/** Starts a service, `services/<name>/src/main.ts`; see {@link startNodeProgram}. */
export function startService(options: {
  readonly nursery: Nursery;
  readonly name: string;
  /** The project's root. */
  readonly root: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  /** The issuer whose tokens it accepts. */
  readonly auth: TokenIssuer;
  readonly logLevel: string;
  /** The origin of the edge; by default that of an edge on its default port. */
  readonly edgeUrl?: string;
  /** Further variables of the service. */
  readonly env?: Readonly<Record<string, string>>;
}): Promise<RunningProgram> {
  const { nursery, name, root, port } = options;
  return startNodeProgram({
    nursery,
    root,
    port,
    name,
    what: name,
    nodeOptions: serviceNodeOptions,
    main: `services/${name}/src/main.ts`,
    env: {
      DATABASE_URL: options.databaseUrl,
      AMQP_URL: options.amqpUrl,
      AUTH_ISSUER: options.auth.issuer,
      AUTH_AUDIENCE: options.auth.audience,
      AUTH_JWKS_URL: options.auth.jwksUrl,
      LOG_LEVEL: options.logLevel,
      ...(options.edgeUrl && { EDGE_URL: options.edgeUrl }),
      // The edge stops first, so nothing checks the health any more.
      DRAIN_MS: "0",
      ...options.env,
    },
    startTimeoutMs,
    stopTimeoutMs,
  });
}
