import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isAlias, isNode, parseDocument, visit } from "yaml";

/** Where a service listens, as seen from the edge: a name or an address, and a port. */
export type Upstream = {
  readonly host: string;
  readonly port: number;
};

/**
 * What may differ from one edge to the next: the `settings` of edge/envoy.yaml, by the same names.
 * What is absent stays as the file says. Rates are requests a second, of the whole Envoy process
 * and of one remote address.
 */
export type EdgeSettings = {
  readonly listenAddress?: string;
  readonly listenPort?: number;
  readonly adminPort?: number;
  readonly orders?: Upstream;
  readonly payments?: Upstream;
  readonly descriptorsPath?: string;
  readonly corsOrigins?: readonly string[];
  readonly requestsPerSecond?: number;
  readonly requestsPerSecondPerAddress?: number;
};

/** The edge inside `docker compose`. */
export const composeEdge: EdgeSettings = {
  listenAddress: "0.0.0.0",
  orders: { host: "orders-service", port: 8080 },
  payments: { host: "payments-service", port: 8080 },
  descriptorsPath: "/etc/envoy/descriptors.binpb",
};

/** The text of edge/envoy.yaml, the local edge. */
export function readEdge(): string {
  return readFileSync(new URL("./envoy.yaml", import.meta.url), "utf8");
}

/**
 * The configuration of an edge that differs from `local` in these settings and in nothing else,
 * comments included. Throws where the file has no such setting, or nothing in the file uses it.
 */
export function renderEdge(settings: EdgeSettings, local = readEdge()): string {
  const document = parseDocument(local);
  if (document.errors[0]) throw document.errors[0];
  const used = new Set<string>();
  visit(document, { Alias: (_, alias) => void used.add(alias.source) });

  const edits = listValues(settings).map(({ path, value }) => {
    const name = path.join(".");
    const node = document.getIn(["settings", ...path], true);
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

function listValues(setting: unknown, path: readonly string[] = []): Value[] {
  // Origins are the only list, and Envoy wants matchers for them.
  if (Array.isArray(setting)) return [{ path, value: setting.map((exact) => ({ exact })) }];
  if (typeof setting !== "object" || setting === null) return [{ path, value: setting }];
  return Object.entries(setting).flatMap(([name, inner]) => listValues(inner, [...path, name]));
}

/** Prints the edge of `docker compose`; the options replace what the local file says. */
function main(): void {
  const { values } = parseArgs({
    options: {
      "cors-origin": { type: "string", multiple: true },
      "requests-per-second": { type: "string" },
      "requests-per-second-per-address": { type: "string" },
    },
  });
  const origins = values["cors-origin"];
  const perSecond = values["requests-per-second"];
  const perSecondPerAddress = values["requests-per-second-per-address"];
  const edge = renderEdge({
    ...composeEdge,
    ...(origins && { corsOrigins: origins }),
    ...(perSecond && { requestsPerSecond: readRate(perSecond) }),
    ...(perSecondPerAddress && { requestsPerSecondPerAddress: readRate(perSecondPerAddress) }),
  });
  process.stdout.write(edge);
}

function readRate(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`not a number of requests a second: ${text}`);
  return Number(text);
}

if (import.meta.main) main();
