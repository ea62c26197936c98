import { z } from "zod";
import type { DatabaseLimits } from "./database/database.ts";
import type { EventBatches } from "./events/relay.ts";
import type { AuthConfig } from "./identity/token-verifier.ts";
import { metricsAddressOf, metricsEnvironment } from "./metrics-config.ts";
import { originVariable } from "./origin-variables.ts";
import type { FairQueueLimits } from "./rpc/fair-queue.ts";
import type { MetricsAddress } from "./rpc/metrics-server.ts";
import type { WriteQuotaLimits } from "./rpc/write-quota.ts";

/**
 * The environment variables of every program here that listens. docs/reference/configuration.md is
 * generated from these schemas: `describe` gives the meaning of a variable, and `otherwise` in its
 * `meta` the effect of leaving it out, if that is not a fixed default.
 */
export const processEnvironment = z.object({
  HOST: z.string().min(1).default("127.0.0.1").describe("The address to listen on."),
  PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .describe("The port to listen on; 0 takes any free one."),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("The lowest level that is logged: JSON lines on standard output."),
  NODE_ENV: z
    .string()
    .optional()
    .describe("`production` turns off what only development needs; every image sets it."),
});

/** A variable that is a number of things, at least one. */
export const countVariable = z.coerce.number().int().min(1);

/** The environment variables of every service. A service extends them with its own. */
export const serviceEnvironment = processEnvironment.extend({
  ...metricsEnvironment.shape,
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe("The service's own database, with its own role and password."),
  AMQP_URL: z
    .url({ protocol: /^amqps?$/ })
    .describe("The broker and virtual host, with the service's own user and password."),
  AUTH_ISSUER: z.string().min(1).describe("What the claim `iss` of a valid token holds."),
  AUTH_AUDIENCE: z.string().min(1).describe("What the claim `aud` of a valid token contains."),
  AUTH_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .describe("Where the issuer publishes its signing keys (JWKS)."),
  AUTH_USER_CLAIM: z
    .string()
    .min(1)
    .default("sub")
    .describe("The claim that names the user: text or a whole number."),
  AUTH_SCOPE_CLAIM: z
    .string()
    .min(1)
    .default("scope")
    .describe("The claim that lists the scopes: an array, or text that separates them by spaces."),
  EDGE_URL: originVariable
    .default("http://localhost:8000")
    .describe("The edge, as clients reach it: the server in `/swagger/v1/swagger.json`."),
  REFLECTION: z.stringbool().optional().meta({
    description: "Whether gRPC reflection is served.",
    otherwise: "`true`, in production `false`",
  }),
  MAX_OUTBOX_DEPTH: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_000_000)
    .describe(
      "How many events may wait for the broker before calls that publish events are refused with `OVERLOADED`.",
    ),
  EVENT_BATCHES: z
    .enum(["off", "with-singles", "on"])
    .default("off")
    .describe(
      "Whether events that are published at the same time share a message: `off`, `on`, or `with-singles`, which publishes each event alone as well, for listeners that read no batches. [When to switch](../how-to/operate.md#event-batches).",
    ),
  USER_WRITES_PER_SECOND: countVariable
    .default(200)
    .describe(
      "How many calls that change data a user may make on an instance per second, on average; ten times as many at once. Further ones are refused with `QUOTA_EXCEEDED`.",
    ),
  USER_WRITES_PER_DAY: countVariable
    .default(1_000_000)
    .describe(
      "The same per day; all of them at once. It also limits how many idempotency keys are stored for a user.",
    ),
  DATABASE_READ_CONNECTIONS: countVariable
    .max(1_000)
    .default(6)
    .describe(
      "The most connections to the database for what only reads, and how many calls that only read run at a time.",
    ),
  DATABASE_WRITE_CONNECTIONS: countVariable
    .max(1_000)
    .default(16)
    .describe(
      "The most connections to the database for everything else. Every batcher and loop uses one; a batcher uses up to two more while users are set aside.",
    ),
  MAX_READS_PER_USER: countVariable
    .default(2)
    .describe("How many calls that only read run at a time for one user; further ones wait."),
  MAX_WAITING_READS: z.coerce
    .number()
    .int()
    .min(0)
    .default(2_000)
    .describe(
      "How many calls that only read may wait; further ones are refused with `OVERLOADED`.",
    ),
  MAX_WAITING_READS_PER_USER: z.coerce
    .number()
    .int()
    .min(0)
    .default(100)
    .describe("How many calls that only read may wait for one user, likewise."),
  USER_READ_BYTES_PER_SECOND: countVariable
    .min(64 * 1024)
    .default(2 * 1024 * 1024)
    .describe(
      "How many bytes of answers a user gets per second from this instance, on average. Half as many may come at once; then the user's calls that only read wait, and so do the next messages of streams.",
    ),
  MAX_CONNECT_CALLS_PER_USER: countVariable
    .default(192)
    .describe(
      "How many unary calls of one user by Connect or gRPC-Web may be open on this instance, from when they begin until their answers have been taken; further ones are refused with `OVERLOADED`. The edge has 512 for all users and instances.",
    ),
  MAX_UNTAKEN_BYTES: z.coerce
    .number()
    .int()
    .min(1024 * 1024)
    .default(16 * 1024 * 1024)
    .describe(
      "How many bytes of answers may wait in memory for their readers before those of the user with most of them are dropped.",
    ),
  DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(3_000)
    .describe(
      "How long a stopping service reports NOT_SERVING and still takes new calls, so that load balancers can move away.",
    ),
});

export type ServiceConfig = {
  readonly host: string;
  readonly port: number;
  readonly metrics: MetricsAddress;
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly logLevel: string;
  readonly reflection: boolean;
  readonly auth: AuthConfig;
  /** The token endpoint at which the docs page signs in by name; undefined in production. */
  readonly tokenUrl: string | undefined;
  /** The origin of the edge, as clients reach it. */
  readonly edgeUrl: string;
  readonly maxOutboxDepth: number;
  readonly eventBatches: EventBatches;
  readonly writeQuota: WriteQuotaLimits;
  readonly connections: Pick<DatabaseLimits, "readConnections" | "writeConnections">;
  readonly reads: FairQueueLimits;
  readonly readBytesPerSecond: number;
  readonly maxConnectCallsPerUser: number;
  readonly maxUntakenBytes: number;
  readonly drainMs: number;
};

/**
 * Validates `environment` against `schema` and returns the values. An empty variable counts as not
 * set. Throws one error that lists every fault, with the name of the variable.
 */
export function readEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  const given = Object.entries(environment).filter(([, value]) => value !== "");
  const result = schema.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`The environment is invalid:\n${faults.join("\n")}`);
}

/** Converts the validated environment of a service to its configuration. */
export function serviceConfigOf(values: z.output<typeof serviceEnvironment>): ServiceConfig {
  return {
    host: values.HOST,
    port: values.PORT,
    metrics: metricsAddressOf(values),
    databaseUrl: values.DATABASE_URL,
    amqpUrl: values.AMQP_URL,
    logLevel: values.LOG_LEVEL,
    reflection: values.REFLECTION ?? !isProduction(values),
    auth: {
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
      jwksUrl: values.AUTH_JWKS_URL,
      userClaim: values.AUTH_USER_CLAIM,
      scopeClaim: values.AUTH_SCOPE_CLAIM,
    },
    tokenUrl:
      isProduction(values) || !URL.canParse(values.AUTH_ISSUER)
        ? undefined
        : `${values.AUTH_ISSUER}/token`,
    edgeUrl: values.EDGE_URL,
    maxOutboxDepth: values.MAX_OUTBOX_DEPTH,
    eventBatches: values.EVENT_BATCHES,
    writeQuota: { perSecond: values.USER_WRITES_PER_SECOND, perDay: values.USER_WRITES_PER_DAY },
    connections: {
      readConnections: values.DATABASE_READ_CONNECTIONS,
      writeConnections: values.DATABASE_WRITE_CONNECTIONS,
    },
    reads: {
      maxRunning: values.DATABASE_READ_CONNECTIONS,
      maxRunningPerUser: values.MAX_READS_PER_USER,
      maxWaiting: values.MAX_WAITING_READS,
      maxWaitingPerUser: values.MAX_WAITING_READS_PER_USER,
    },
    readBytesPerSecond: values.USER_READ_BYTES_PER_SECOND,
    maxConnectCallsPerUser: values.MAX_CONNECT_CALLS_PER_USER,
    maxUntakenBytes: values.MAX_UNTAKEN_BYTES,
    drainMs: values.DRAIN_MS,
  };
}

/** Whether this is production, where everything for development only is turned off. */
export function isProduction({ NODE_ENV }: { readonly NODE_ENV?: string | undefined }): boolean {
  return NODE_ENV === "production";
}
