import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isAlias, isNode, parseDocument, visit } from "yaml";
import { perService, type ServiceName } from "../services/services.ts";
import { deriveBursts, deriveIssuer, readKeysUrl } from "./derived.ts";

/** The host name or address, and the port, of a service for the edge. */
export type Upstream = {
  readonly host: string;
  readonly port: number;
};

/** The tokens that the edge accepts. */
export type EdgeAuth = {
  /** The required `iss`. */
  readonly issuer: string;
  /** The value that `aud` must contain. */
  readonly audience: string;
  /** The http or https URL of the issuer's keys. */
  readonly jwksUrl: string;
};

/**
 * The settings of an edge, with the names in `settings` of edge/envoy.yaml. Absent settings keep
 * the value in the file. A service has an upstream for each instance; an absent service keeps its
 * local port. `trustedHops` is the number of proxies in front; behind one, the connections per
 * address are not capped unless `connectionsPerAddress` is set, because all are the proxy's. Rates
 * are requests per second: of the whole Envoy process, per address, per user.
 */
export type EdgeSettings = {
  readonly listenAddress?: string;
  readonly listenPort?: number;
  readonly adminPort?: number;
  readonly metricsAddress?: string;
  readonly metricsPort?: number;
  readonly services?: Readonly<Partial<Record<ServiceName, readonly Upstream[]>>>;
  readonly auth?: EdgeAuth;
  readonly descriptorsPath?: string;
  readonly restGuardPath?: string;
  readonly connectionCapPath?: string;
  readonly corsOrigins?: readonly string[];
  readonly trustedHops?: number;
  readonly connections?: number;
  readonly connectionsPerAddress?: number;
  readonly requestsPerSecond?: number;
  readonly requestsPerSecondPerAddress?: number;
  readonly requestsPerSecondPerUser?: number;
};

/** The settings of the edge in Docker Compose. */
export const composeEdge = {
  listenAddress: "0.0.0.0",
  metricsAddress: "0.0.0.0",
  services: perService((name) => [{ host: `${name}-service`, port: 8080 }]),
  // Tokens contain the public URL of the issuer; the edge uses its name in the network.
  auth: {
    issuer: "http://localhost:8003",
    audience: "settle",
    jwksUrl: "http://dev-issuer:8080/.well-known/jwks.json",
  },
  descriptorsPath: "/etc/envoy/descriptors.binpb",
  restGuardPath: "/etc/envoy/rest-guard.lua",
  connectionCapPath: "/etc/envoy/connection-cap.wasm",
} satisfies EdgeSettings;

/** The output of `--help`. */
export const usage = `node edge/render.ts [options] > envoy.yaml

Prints Envoy's configuration for docker compose, changed by these options:

  --auth-issuer <text>     the claim iss of valid tokens
  --auth-audience <text>   the audience that their claim aud contains
  --auth-jwks-url <url>    the URL of the issuer's keys, http or https
  --cors-origin <origin>   a page that may call the edge from a browser; can be repeated
  --trusted-hops <number>  the proxies in front that append to x-forwarded-for; default 0
  --connections <number>   the open connections of this Envoy process
  --connections-per-address <number>
                           the open connections per address; not limited behind a proxy
  --requests-per-second <number>
                           the rate limit of this Envoy process
  --requests-per-second-per-address <number>
                           the rate limit per address
  --requests-per-second-per-user <number>
                           the rate limit per user`;

/** Reads edge/envoy.yaml, the configuration of the local edge. */
export function readEdge(): string {
  return readFileSync(new URL("./envoy.yaml", import.meta.url), "utf8");
}

/**
 * Returns the configuration `local` with these settings and the values derived from them replaced,
 * and everything else unchanged, comments included. Throws if a service has no instances, if the
 * URL of the keys is invalid, or if the file does not contain or use a setting.
 */
export function renderEdge(settings: EdgeSettings, local = readEdge()): string {
  const document = parseDocument(local);
  if (document.errors[0]) throw document.errors[0];
  const used = new Set<string>();
  visit(document, { Alias: (_, alias) => void used.add(alias.source) });

  const { trustedHops = 0, connections = document.getIn(["settings", "connections"]) } = settings;
  const uncapped = trustedHops > 0 ? { connectionsPerAddress: Number(connections) } : {};
  const edits = listValues({ ...uncapped, ...settings }).map(({ path, value }) => {
    const name = path.slice(1).join(".");
    const node = document.getIn(path, true);
    if (!isNode(node) || isAlias(node) || !node.range) throw new Error(`no edge setting ${name}`);
    if (!used.has(node.anchor ?? "")) throw new Error(`nothing uses the edge setting ${name}`);
    return { from: node.range[0], to: node.range[1], text: JSON.stringify(value) };
  });
  // From the end, so that earlier positions stay valid.
  edits.sort((a, b) => b.from - a.from);
  return edits.reduce(
    (text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to),
    local,
  );
}

type Value = { readonly path: readonly string[]; readonly value: unknown };

/** Returns the value of each setting in the file, and of the values derived from it. */
function listValues({ services = {}, auth, corsOrigins, ...plain }: EdgeSettings): Value[] {
  const values: Readonly<Record<string, unknown>> = {
    ...plain,
    ...(corsOrigins && { corsOrigins: corsOrigins.map((exact) => ({ exact })) }),
  };
  const instances = Object.entries(services).map(([name, upstreams]) => ({
    path: ["settings", "services", name],
    value: endpointsOf(name, upstreams),
  }));
  const inside = (folder: readonly string[], entries: object) =>
    Object.entries(entries).map(([name, value]) => ({ path: [...folder, name], value }));
  const always = [
    ...inside(["settings"], values),
    ...inside(["derived"], deriveBursts(plain)),
    ...instances,
  ];
  if (!auth) return always;
  const keys = readKeysUrl(auth.jwksUrl);
  return [
    ...always,
    ...inside(["settings", "auth"], { ...auth, jwksUrl: keys.href }),
    ...inside(["derived"], deriveIssuer(keys)),
  ];
}

function endpointsOf(service: string, upstreams: readonly Upstream[]) {
  if (upstreams.length === 0) throw new Error(`${service} has no instance`);
  return upstreams.map(({ host, port }) => ({
    endpoint: { address: { socket_address: { address: host, port_value: port } } },
  }));
}

/** Prints the edge of Docker Compose, with the options applied. */
function main(): void {
  const { values } = parseArgs({
    options: {
      "auth-issuer": { type: "string" },
      "auth-audience": { type: "string" },
      "auth-jwks-url": { type: "string" },
      "cors-origin": { type: "string", multiple: true },
      "trusted-hops": { type: "string" },
      connections: { type: "string" },
      "connections-per-address": { type: "string" },
      "requests-per-second": { type: "string" },
      "requests-per-second-per-address": { type: "string" },
      "requests-per-second-per-user": { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  type Option = Exclude<keyof typeof values, "cors-origin" | "help">;
  const read = <Name extends string, Of>(name: Name, option: Option, as: (text: string) => Of) => {
    const text = values[option];
    if (text === undefined) return {};
    if (text === "") throw new Error(`--${option} is empty`);
    return { [name]: as(text) } as Record<Name, Of>;
  };
  const origins = values["cors-origin"];
  const edge = renderEdge({
    ...composeEdge,
    auth: {
      ...composeEdge.auth,
      ...read("issuer", "auth-issuer", String),
      ...read("audience", "auth-audience", String),
      ...read("jwksUrl", "auth-jwks-url", String),
    },
    ...(origins && { corsOrigins: origins }),
    ...read("trustedHops", "trusted-hops", readHops),
    ...read("connections", "connections", readConnections),
    ...read("connectionsPerAddress", "connections-per-address", readConnections),
    ...read("requestsPerSecond", "requests-per-second", readRate),
    ...read("requestsPerSecondPerAddress", "requests-per-second-per-address", readRate),
    ...read("requestsPerSecondPerUser", "requests-per-second-per-user", readRate),
  });
  process.stdout.write(edge);
}

const readHops = (text: string) => readNumber(text, "proxies", 0);
const readConnections = (text: string) => readNumber(text, "connections", 1);
const readRate = (text: string) => readNumber(text, "requests per second", 1);

function readNumber(text: string, of: string, least: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new Error(`not a number of ${of}: ${text}`);
  return Number(text);
}

if (import.meta.main) {
  try {
    main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
