import { z } from "zod";
import type { AuthConfig } from "./identity/token-verifier.ts";

/** The environment variables of every service. A service extends them with its own. */
export const serviceEnvironment = z.object({
  HOST: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080).describe("port to listen on"),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).describe("the service's own database"),
  AMQP_URL: z.url({ protocol: /^amqps?$/ }).describe("the broker, with the service's own user"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  MAX_OUTBOX_DEPTH: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_000_000)
    .describe("how many events may wait to be published before new work is rejected"),
  DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(3_000)
    .describe("how long a stopping service keeps serving while it reports NOT_SERVING"),
  REFLECTION: z
    .stringbool()
    .optional()
    .describe("whether gRPC reflection is served; by default not in production"),
  NODE_ENV: z
    .string()
    .optional()
    .describe("`production` turns off what is meant for development only"),
  AUTH_ISSUER: z.string().min(1).describe("the claim `iss` of valid tokens"),
  AUTH_AUDIENCE: z.string().min(1).describe("what the claim `aud` of valid tokens contains"),
  AUTH_JWKS_URL: z.url({ protocol: /^https?$/ }).describe("where the issuer publishes its keys"),
  AUTH_USER_CLAIM: z.string().min(1).default("sub").describe("the claim that names the user"),
});

export type ServiceConfig = {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly logLevel: string;
  readonly reflection: boolean;
  readonly auth: AuthConfig;
  /** The token endpoint at which the docs page signs in by name; undefined in production. */
  readonly tokenUrl: string | undefined;
  readonly maxOutboxDepth: number;
  readonly drainMs: number;
};

/** A variable that is a web origin, such as `https://shop.example`. */
export const originVariable = z.url({ protocol: /^https?$/ }).refine(isOrigin, "must be an origin");

/** A variable that lists web origins, separated by commas; an empty one lists none. */
export const originsVariable = z
  .string()
  .transform((list) => list.split(",").filter(Boolean))
  .refine((origins) => origins.every(isOrigin), "must be origins, separated by commas");

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

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
    databaseUrl: values.DATABASE_URL,
    amqpUrl: values.AMQP_URL,
    logLevel: values.LOG_LEVEL,
    reflection: values.REFLECTION ?? !isProduction(values),
    auth: {
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
      jwksUrl: values.AUTH_JWKS_URL,
      userClaim: values.AUTH_USER_CLAIM,
    },
    tokenUrl:
      isProduction(values) || !URL.canParse(values.AUTH_ISSUER)
        ? undefined
        : `${values.AUTH_ISSUER}/token`,
    maxOutboxDepth: values.MAX_OUTBOX_DEPTH,
    drainMs: values.DRAIN_MS,
  };
}

/** Whether this is production, where everything for development only is turned off. */
export function isProduction({ NODE_ENV }: { readonly NODE_ENV?: string | undefined }): boolean {
  return NODE_ENV === "production";
}
