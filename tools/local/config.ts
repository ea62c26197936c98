import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type ServiceName, services, variableOf } from "../../services/services.ts";

const portMax = 65_535;
const issuerVariables = ["AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS_URL"] as const;
const passedOn = ["AUTH_USER_CLAIM", "SELF_DEPOSIT", "EXPIRE_AFTER_MS"];
const oidcVariables = ["OIDC_AUTHORITY", "OIDC_CLIENT_ID"] as const;
const oidcOptions = ["OIDC_SCOPE", "OIDC_ORIGINS", "AUTH_USER_CLAIM"];

/** A port of the stack: the variable that sets it, its default, and what listens there. */
export type LocalPort = {
  readonly variable: string;
  readonly fallback: number;
  readonly what: string;
};

const frontPorts = {
  page: { variable: "WEB_PORT", fallback: 5173, what: "the page" },
  edge: { variable: "EDGE_PORT", fallback: 8000, what: "the edge (Envoy)" },
} satisfies Readonly<Record<string, LocalPort>>;
const serverPorts = {
  auth: { variable: "AUTH_PORT", fallback: 8003, what: "the development issuer" },
  postgres: { variable: "POSTGRES_PORT", fallback: 5433, what: "PostgreSQL" },
  amqp: { variable: "RABBITMQ_PORT", fallback: 5672, what: "RabbitMQ" },
  management: {
    variable: "RABBITMQ_MANAGEMENT_PORT",
    fallback: 15672,
    what: "RabbitMQ's management API",
  },
} satisfies Readonly<Record<string, LocalPort>>;

export type PortName = keyof typeof frontPorts | ServiceName | keyof typeof serverPorts;

/** The ports of the stack, those of the services by their names. */
export const localPorts: Readonly<Record<PortName, LocalPort>> = {
  ...frontPorts,
  ...(Object.fromEntries(
    services.map(({ name, port }) => [
      name,
      { variable: variableOf(name, "PORT"), fallback: port, what: name },
    ]),
  ) as Record<ServiceName, LocalPort>),
  ...serverPorts,
};

/** A RabbitMQ that somebody else runs, reached as an administrator. */
export type OwnBroker = {
  readonly amqpUrl: string;
  readonly managementUrl: string;
};

/** Whose tokens are valid, and where the keys for it are. */
export type TokenIssuer = {
  /** What tokens say in `iss`. */
  readonly issuer: string;
  /** What they say in `aud`. */
  readonly audience: string;
  readonly jwksUrl: string;
};

/** What `npm start` was asked to do. */
export type LocalConfig = {
  readonly help: boolean;
  readonly fresh: boolean;
  readonly ports: Readonly<Record<PortName, number>>;
  /** Set where `AMQP_URL` names a broker to use instead of starting one. */
  readonly broker: OwnBroker | undefined;
  /** Set where `AUTH_ISSUER` and its like name an issuer to use instead of starting one. */
  readonly issuer?: TokenIssuer | undefined;
  /** Whether the page is served: not where nobody could sign in to it. */
  readonly page: boolean;
  /** How the page signs people in where that is not the development issuer, by the server's variables. */
  readonly oidc?: Readonly<Record<string, string>> | undefined;
  /** Settings of the services that are passed on as they are, where they are set. */
  readonly serviceEnv?: Readonly<Record<string, string>>;
  /** Where data, passwords, logs and rendered configuration are kept between starts. */
  readonly dataDir: string;
  readonly logLevel: string;
  /** Our own environment, for finding programs and for installers. */
  readonly env: NodeJS.ProcessEnv;
};

export const usage = `npm start [-- --fresh] [-- --help]

Starts PostgreSQL, RabbitMQ, an issuer of tokens for development, the services, Envoy and the
page on this machine, bound to 127.0.0.1.
Data stays in .data/ between starts, logs are in .data/logs/, downloads in .cache/. Ctrl-C stops it.

  --fresh   drop all local data first
  --help    show this

Environment, also read from a file .env:
${Object.values(localPorts)
  .map((port) => `  ${port.variable.padEnd(26)}port of ${port.what} (${port.fallback})`)
  .join("\n")}
  AMQP_URL                  a RabbitMQ to use instead of starting one, with an administrator's
                            name and password and no vhost; then also:
  RABBITMQ_MANAGEMENT_URL   its management API, with the same name and password
  AUTH_ISSUER               an issuer of tokens to use instead of starting one: their claim iss;
                            then also:
  AUTH_AUDIENCE             what their claim aud holds
  AUTH_JWKS_URL             where its keys are
  OIDC_AUTHORITY            that issuer as the OpenID provider that signs people in to the page, which
                            is not served without; then also:
  OIDC_CLIENT_ID            what it calls the page
  OIDC_SCOPE                the scopes to ask it for (openid)
  OIDC_ORIGINS              where else its endpoints are, separated by commas
  AUTH_USER_CLAIM           the claim that names the user (sub)
  SELF_DEPOSIT              whether users may deposit into their own accounts (true)
  EXPIRE_AFTER_MS           how long an order that does not say waits for its payment (for ever)
  ENVOY_BIN                 an Envoy to use instead of the pinned one
  DATA_DIR                  where data and logs are kept (.data)
  LOG_LEVEL                 of the services (info)`;

/**
 * Reads arguments and environment; throws one error that lists every fault. Relative paths are
 * below `root`.
 */
export function readLocalConfig(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): LocalConfig {
  const faults: string[] = [];
  const { values } = parseArgs({
    args: [...args],
    options: { fresh: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  const readPort = ({ variable, fallback }: LocalPort) => {
    const port = Number(env[variable] || fallback);
    if (Number.isInteger(port) && port > 0 && port <= portMax) return port;
    faults.push(`${variable} is no port: ${env[variable]}`);
    return fallback;
  };
  const ports = Object.fromEntries(
    Object.entries(localPorts).map(([name, port]) => [name, readPort(port)]),
  ) as Record<PortName, number>;
  const twice = Object.values(ports).find((port, at, all) => all.indexOf(port) !== at);
  if (twice !== undefined) faults.push(`port ${twice} is chosen twice`);
  if (env.AMQP_URL && !env.RABBITMQ_MANAGEMENT_URL) {
    faults.push("AMQP_URL needs RABBITMQ_MANAGEMENT_URL beside it");
  }
  const issuer = readOwnIssuer(env);
  const unset = issuerVariables.filter((variable) => !env[variable]);
  if (issuer === undefined && unset.length < issuerVariables.length) {
    faults.push(
      `set ${issuerVariables.join(", ")} together or not at all; missing: ${unset.join(", ")}`,
    );
  }
  const oidc = readOidc(env);
  if (oidcVariables.some((variable) => env[variable]) && !(oidc && issuer)) {
    faults.push(`${oidcVariables.join(" and ")} need each other and AUTH_ISSUER beside them`);
  }
  if (faults.length > 0) throw new Error(`The settings are not usable:\n  ${faults.join("\n  ")}`);
  return {
    help: values.help ?? false,
    fresh: values.fresh ?? false,
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

/** Those of the variables that are set. */
function pick(env: NodeJS.ProcessEnv, variables: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap((variable) => (env[variable] ? [[variable, env[variable]]] : [])),
  );
}
