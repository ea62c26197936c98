import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type LocalPort, localPorts, type PortName } from "./local-ports.ts";

const portMax = 65_535;
const issuerVariables = ["AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS_URL"] as const;
const quotas = [
  "USER_WRITES_PER_SECOND",
  "USER_WRITES_PER_DAY",
  "USER_READ_BYTES_PER_SECOND",
  "USER_PENDING_ORDERS",
  "USER_WATCHES",
  "USER_WAITS",
  "MAX_WATCHES",
];
const passedOn = [
  "AUTH_USER_CLAIM",
  "AUTH_SCOPE_CLAIM",
  "SELF_DEPOSIT",
  "EXPIRE_AFTER_MS",
  "EVENT_BATCHES",
  ...quotas,
];
const oidcVariables = ["OIDC_AUTHORITY", "OIDC_CLIENT_ID"] as const;
const oidcOptions = ["OIDC_SCOPE", "OIDC_ORIGINS", "AUTH_USER_CLAIM"];

/** An existing RabbitMQ, with URLs for an administrator. */
export type OwnBroker = {
  readonly amqpUrl: string;
  readonly managementUrl: string;
};

/** The issuer whose tokens are valid. */
export type TokenIssuer = {
  /** The claim `iss` of its tokens. */
  readonly issuer: string;
  /** The claim `aud` of its tokens. */
  readonly audience: string;
  readonly jwksUrl: string;
};

/** The configuration of `npm start`. */
export type LocalConfig = {
  readonly help: boolean;
  readonly fresh: boolean;
  /** Whether Prometheus runs as well. */
  readonly observe?: boolean;
  readonly ports: Readonly<Record<PortName, number>>;
  /** The existing broker in `AMQP_URL`; if undefined, one is started. */
  readonly broker: OwnBroker | undefined;
  /** The existing issuer in `AUTH_ISSUER`; if undefined, one is started. */
  readonly issuer?: TokenIssuer | undefined;
  /** Whether the page is served: only if users can sign in. */
  readonly page: boolean;
  /** The sign-in of the page if it is not the development issuer, as variables of its server. */
  readonly oidc?: Readonly<Record<string, string>> | undefined;
  /** Variables that are passed on to the services if they are set. */
  readonly serviceEnv?: Readonly<Record<string, string>>;
  /** The folder for data, passwords, logs and rendered configuration, kept between starts. */
  readonly dataDir: string;
  readonly logLevel: string;
  /** The environment of this process, for finding programs and for installers. */
  readonly env: NodeJS.ProcessEnv;
};

export const usage = `npm start [-- --fresh] [-- --observe] [-- --help]

Starts PostgreSQL, RabbitMQ, a development issuer of tokens, the services, Envoy and the page
on this machine, bound to 127.0.0.1. Keeps data in .data/, logs in .data/logs/ and downloads in
.cache/. Press Ctrl-C to stop.

  --fresh    delete all local data first
  --observe  start Prometheus as well, with the alert rules in deploy/observability
  --help     print this help

Environment variables, also read from the file .env:
${Object.values(localPorts)
  .map((port) => `  ${port.variable.padEnd(26)}port of ${port.what} (${port.fallback})`)
  .join("\n")}

To use a RabbitMQ that runs already:
  AMQP_URL                  its URL, with an administrator's name and password and no vhost
  RABBITMQ_MANAGEMENT_URL   its management API, with the same name and password

To use an issuer of tokens that runs already:
  AUTH_ISSUER               the claim iss of its tokens
  AUTH_AUDIENCE             the audience that their claim aud contains
  AUTH_JWKS_URL             the URL of its keys
  AUTH_USER_CLAIM           the claim that names the user (sub)
  AUTH_SCOPE_CLAIM          the claim that lists the scopes (scope)
With such an issuer, the page is served only if it can sign people in by OpenID:
  OIDC_AUTHORITY            the issuer URL of the OpenID provider
  OIDC_CLIENT_ID            the client id of the page at the provider
  OIDC_SCOPE                the scopes to request, separated by spaces (openid)
  OIDC_ORIGINS              further origins of its endpoints, separated by commas

Other settings:
  SELF_DEPOSIT              whether users may deposit into their own accounts (true)
  EXPIRE_AFTER_MS           how long an order waits for its payment if CreateOrder sets no
                            expireAfter (without limit)
  EVENT_BATCHES             whether events share messages: off, with-singles or on (on)
  ${quotas.slice(0, 3).join(", ")},
  ${quotas.slice(3).join(", ")}
                            what one user may do; see docs/reference/configuration.md
  ENVOY_BIN                 an Envoy to use instead of the pinned one
  DATA_DIR                  where data and logs are kept (.data)
  LOG_LEVEL                 the lowest level that the services log (info)`;

/**
 * Reads arguments and environment. Throws one error that lists all faults. Relative paths are
 * relative to `root`.
 */
export function readLocalConfig(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): LocalConfig {
  const faults: string[] = [];
  const values = readArguments(args);
  const readPort = ({ variable, fallback }: LocalPort) => {
    const port = Number(env[variable] || fallback);
    if (Number.isInteger(port) && port > 0 && port <= portMax) return port;
    faults.push(`${variable} is not a port: ${env[variable]}`);
    return fallback;
  };
  const ports = Object.fromEntries(
    Object.entries(localPorts).map(([name, port]) => [name, readPort(port)]),
  ) as Record<PortName, number>;
  const twice = Object.values(ports).find((port, at, all) => all.indexOf(port) !== at);
  if (twice !== undefined) faults.push(`port ${twice} is set twice`);
  if (env.AMQP_URL && !env.RABBITMQ_MANAGEMENT_URL) {
    faults.push("AMQP_URL requires RABBITMQ_MANAGEMENT_URL");
  }
  const issuer = readOwnIssuer(env);
  const unset = issuerVariables.filter((variable) => !env[variable]);
  if (issuer === undefined && unset.length < issuerVariables.length) {
    faults.push(
      `set ${issuerVariables.join(", ")} together, or none of them; missing: ${unset.join(", ")}`,
    );
  }
  const oidc = readOidc(env);
  if (oidcVariables.some((variable) => env[variable]) && !(oidc && issuer)) {
    faults.push(`set ${oidcVariables.join(" and ")} together, and with AUTH_ISSUER`);
  }
  if (faults.length > 0) throw new Error(`Invalid settings:\n  ${faults.join("\n  ")}`);
  return {
    help: values.help ?? false,
    // Without the second `--`, npm takes the option for a setting of its own.
    fresh: values.fresh ?? env.npm_config_fresh === "true",
    observe: values.observe ?? env.npm_config_observe === "true",
    ports,
    broker: readOwnBroker(env),
    issuer,
    page: issuer === undefined || oidc !== undefined,
    oidc,
    serviceEnv: pick(env, passedOn),
    dataDir: resolve(root, env.DATA_DIR || ".data"),
    logLevel: env.LOG_LEVEL || "info",
    env,
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        fresh: { type: "boolean" },
        observe: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\nSee npm start -- --help`);
  }
}

/** The broker that `AMQP_URL` and `RABBITMQ_MANAGEMENT_URL` name; undefined unless both are set. */
export function readOwnBroker(env: NodeJS.ProcessEnv): OwnBroker | undefined {
  const { AMQP_URL: amqpUrl, RABBITMQ_MANAGEMENT_URL: managementUrl } = env;
  return amqpUrl && managementUrl ? { amqpUrl, managementUrl } : undefined;
}

function readOwnIssuer(env: NodeJS.ProcessEnv): TokenIssuer | undefined {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: jwksUrl } = env;
  return issuer && audience && jwksUrl ? { issuer, audience, jwksUrl } : undefined;
}

function readOidc(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> | undefined {
  if (!oidcVariables.every((variable) => env[variable])) return undefined;
  return pick(env, [...oidcVariables, ...oidcOptions]);
}

/** The variables that are set. */
function pick(env: NodeJS.ProcessEnv, variables: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap((variable) => (env[variable] ? [[variable, env[variable]]] : [])),
  );
}
