import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { isAlias, isNode, parseDocument, visit } from "yaml";
import { perService, type ServiceName } from "../services/services.ts";

/** Where a service listens, as seen from the edge: a name or an address, and a port. */
export type Upstream = {
  readonly host: string;
  readonly port: number;
};

/** Which tokens the edge lets in. */
export type EdgeAuth = {
  /** What `iss` has to be. */
  readonly issuer: string;
  /** What `aud` has to hold. */
  readonly audience: string;
  /** Where the issuer publishes its keys, by http or https. */
  readonly jwksUrl: string;
};

/**
 * What may differ from one edge to the next: the `settings` of edge/envoy.yaml, by the same names.
 * What is absent stays as the file says. A service has an upstream for each of its instances; one
 * that is absent stays at its local port. Rates are requests a second: of the whole Envoy process, of
 * one remote address, of one user.
 */
export type EdgeSettings = {
  readonly listenAddress?: string;
  readonly listenPort?: number;
  readonly adminPort?: number;
  readonly services?: Readonly<Partial<Record<ServiceName, readonly Upstream[]>>>;
  readonly auth?: EdgeAuth;
  readonly descriptorsPath?: string;
  readonly corsOrigins?: readonly string[];
  readonly requestsPerSecond?: number;
  readonly requestsPerSecondPerAddress?: number;
  readonly requestsPerSecondPerUser?: number;
};

/** The edge inside `docker compose`. */
export const composeEdge = {
  listenAddress: "0.0.0.0",
  services: perService((name) => [{ host: `${name}-service`, port: 8080 }]),
  // Tokens name the issuer as people reach it; the edge reaches it by its name in the network.
  auth: {
    issuer: "http://localhost:8003",
    audience: "settle",
    jwksUrl: "http://dev-issuer:8080/.well-known/jwks.json",
  },
  descriptorsPath: "/etc/envoy/descriptors.binpb",
} satisfies EdgeSettings;

/** The certificates that Debian, and Envoy's own image, trust. */
const trustedCertificates = "/etc/ssl/certs/ca-certificates.crt";

/** What `--help` prints. */
export const usage = `node edge/render.ts [options] > envoy.yaml

Prints the edge of docker compose.

  --auth-issuer <text>     the iss of valid tokens
  --auth-audience <text>   what their aud holds
  --auth-jwks-url <url>    where their issuer publishes its keys, by http or https
  --cors-origin <origin>   a page that may call the edge from a browser; may be repeated
  --requests-per-second <number>
  --requests-per-second-per-address <number>
  --requests-per-second-per-user <number>`;

/** The text of edge/envoy.yaml, the local edge. */
export function readEdge(): string {
  return readFileSync(new URL("./envoy.yaml", import.meta.url), "utf8");
}

/**
 * The configuration of an edge that differs from `local` in these settings, in what is derived from
 * them, and in nothing else, comments included. Throws for a service without instances, for keys
 * that no URL leads to, and where the file has no such setting or nothing in the file uses it.
 */
export function renderEdge(settings: EdgeSettings, local = readEdge()): string {
  const document = parseDocument(local);
  if (document.errors[0]) throw document.errors[0];
  const used = new Set<string>();
  visit(document, { Alias: (_, alias) => void used.add(alias.source) });

  const edits = listValues(settings).map(({ path, value }) => {
    const name = path.slice(1).join(".");
    const node = document.getIn(path, true);
    if (!isNode(node) || isAlias(node) || !node.range) throw new Error(`no edge setting ${name}`);
    if (!used.has(node.anchor ?? "")) throw new Error(`nothing uses the edge setting ${name}`);
    return { from: node.range[0], to: node.range[1], text: JSON.stringify(value) };
  });
  // From the end, so that the places further up stay where they are.
  edits.sort((a, b) => b.from - a.from);
  return edits.reduce(
    (text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to),
    local,
  );
}

type Value = { readonly path: readonly string[]; readonly value: unknown };

/** What each setting is in the file, and what follows from it there. */
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
  const always = [...inside(["settings"], values), ...instances];
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

function readKeysUrl(text: string): URL {
  const url = URL.parse(text);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (url && isWeb && !url.username && !url.password && !url.hash) return url;
  throw new Error(`not the http or https URL of an issuer's keys: ${text}`);
}

/** How Envoy reaches the issuer; by https only the one whose name is in the URL. */
function deriveIssuer(url: URL) {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const secure = url.protocol === "https:";
  const isAddress = isIP(host) !== 0;
  const sockets = "type.googleapis.com/envoy.extensions.transport_sockets";
  const overTls = {
    "@type": `${sockets}.tls.v3.UpstreamTlsContext`,
    ...(isAddress ? {} : { sni: host }),
    common_tls_context: {
      validation_context: {
        trusted_ca: { filename: trustedCertificates },
        match_typed_subject_alt_names: [
          { san_type: isAddress ? "IP_ADDRESS" : "DNS", matcher: { exact: host } },
        ],
      },
    },
  };
  return {
    issuerHost: host,
    issuerPort: Number(url.port || (secure ? 443 : 80)),
    issuerTransport: secure ? overTls : { "@type": `${sockets}.raw_buffer.v3.RawBuffer` },
  };
}

/** Prints the edge of `docker compose`; the options replace what it is made of. */
function main(): void {
  const { values } = parseArgs({
    options: {
      "auth-issuer": { type: "string" },
      "auth-audience": { type: "string" },
      "auth-jwks-url": { type: "string" },
      "cors-origin": { type: "string", multiple: true },
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
    ...read("requestsPerSecond", "requests-per-second", readRate),
    ...read("requestsPerSecondPerAddress", "requests-per-second-per-address", readRate),
    ...read("requestsPerSecondPerUser", "requests-per-second-per-user", readRate),
  });
  process.stdout.write(edge);
}

function readRate(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`not a number of requests a second: ${text}`);
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
