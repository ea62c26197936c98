import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Interceptor } from "@connectrpc/connect";
import { startEnvoy } from "../../tools/local/parts/envoy.ts";
import { findFreePorts } from "../../tools/local/ports.ts";
import { startNursery } from "../../tools/local/process/nursery.ts";
import { type EdgeSettings, renderEdge } from "../render.ts";
import { createIssuer, type Issuer } from "./issuer.ts";
import {
  createOrdersUpstream,
  createPaymentsUpstream,
  type OrdersUpstream,
  type Upstream,
} from "./upstream.ts";

const waitLimitMs = 10_000;

/** The path of the descriptor set, independent of the working directory. */
export const descriptorsPath = fileURLToPath(
  new URL("../../gen/envoy/descriptors.binpb", import.meta.url),
);

/** The path of the REST guard, likewise. */
export const restGuardPath = fileURLToPath(
  new URL("../../gen/envoy/rest-guard.lua", import.meta.url),
);

/** The path of the connection cap, likewise. */
export const connectionCapPath = fileURLToPath(
  new URL("../../gen/envoy/connection-cap.wasm", import.meta.url),
);

/** The Envoy of this test run. */
export function envoyBinary(): string {
  const binary = process.env.ENVOY_BIN;
  if (!binary) throw new Error("ENVOY_BIN is not set: run the tests with npm test");
  return binary;
}

/** A real edge in front of two services and an issuer that the tests control. */
export type Lab = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly adminUrl: string;
  readonly metricsUrl: string;
  /** The process id of Envoy. */
  readonly pid: number;
  /** The first instance of orders, and all of them. */
  readonly orders: OrdersUpstream;
  readonly instances: readonly OrdersUpstream[];
  readonly payments: Upstream;
  readonly issuer: Issuer;
  /** The `authorization` of alice. */
  readonly authorization: string;
  /** The options for Connect transports to call this edge as alice. */
  readonly target: { readonly baseUrl: string; readonly interceptors: Interceptor[] };
  /** Sends a request to the edge over HTTP/1.1, on a separate connection. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  /** Sends these bytes unchanged and reads one response. */
  sendRaw(bytes: string | Buffer): Promise<Answer>;
  /** Returns the value of a counter or gauge of Envoy. */
  readStat(name: string): Promise<number>;
  /** Returns what Envoy has logged so far. */
  readLog(): Promise<string>;
  /** Repeats `ask` until the status is this one; fails after ten seconds. */
  askUntil(status: number, path: string): Promise<Answer>;
};

export type AskOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  /** The user of the token, unless the headers contain one; null for no token. Default: alice. */
  readonly as?: string | null;
  /** The local address of the connection, one of 127.0.0.0/8. */
  readonly from?: string;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Parses the body. */
  json(): unknown;
};

/**
 * Starts an edge with its services and issuer. `changes` replaces text in the configuration, for
 * values that are not settings, such as timeouts that are too long for tests.
 */
export async function startLab({
  settings = {},
  changes = {},
  instances: instanceCount = 1,
  withIssuer = true,
}: {
  readonly settings?: EdgeSettings;
  readonly changes?: Readonly<Record<string, string>>;
  /** Of orders. */
  readonly instances?: number;
  /** Whether the issuer is already running. */
  readonly withIssuer?: boolean;
} = {}): Promise<Lab> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "settle-edge-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const ports = await findFreePorts(5 + instanceCount);
  const [port = 0, adminPort = 0, metricsPort = 0, issuerPort = 0, paymentsPort = 0] = ports;
  const orderPorts = ports.slice(5);
  const issuer = starting.use(await createIssuer(issuerPort));
  const instances = orderPorts.map((own) => starting.use(createOrdersUpstream(own, issuer.auth)));
  const [orders] = instances;
  assert.ok(orders);
  const payments = starting.use(createPaymentsUpstream(paymentsPort, issuer.auth));
  await Promise.all([...instances, payments].map((upstream) => upstream.start()));
  if (withIssuer) await issuer.start();

  const rendered = renderEdge({
    listenPort: port,
    adminPort,
    metricsPort,
    services: {
      orders: orderPorts.map((own) => ({ host: "127.0.0.1", port: own })),
      payments: [{ host: "127.0.0.1", port: paymentsPort }],
    },
    auth: issuer.auth,
    descriptorsPath,
    restGuardPath,
    connectionCapPath,
    ...settings,
  });
  const config = join(folder, "envoy.yaml");
  await writeFile(config, change(rendered, changes));
  const nursery = starting.use(await startNursery({ folder }));
  const envoy = starting.use(await startEnvoy({ nursery, binary: envoyBinary(), config, port }));

  const url = `http://127.0.0.1:${port}`;
  const authorization = `Bearer ${await issuer.key.sign()}`;
  const authorizationOf = async (user: string) =>
    user === "alice" ? authorization : `Bearer ${await issuer.key.sign({ sub: user })}`;
  const signIn: Interceptor = (next) => (request) => {
    request.header.set("authorization", authorization);
    return next(request);
  };
  const ask: Lab["ask"] = async (method, path, { as = "alice", ...options } = {}) => {
    const signed = as === null ? {} : { authorization: await authorizationOf(as) };
    return send(port, method, path, { ...options, headers: { ...signed, ...options.headers } });
  };
  const started = starting.move();
  return {
    url,
    port,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    pid: envoy.child.pid,
    orders,
    instances,
    payments,
    issuer,
    authorization,
    target: { baseUrl: url, interceptors: [signIn] },
    ask,
    sendRaw: (bytes) => sendBytes(port, bytes),
    async readStat(name) {
      const stats = await fetch(`http://127.0.0.1:${adminPort}/stats?filter=^${name}$`);
      return Number((await stats.text()).split(": ")[1]);
    },
    readLog: () => readFile(envoy.child.logFile, "utf8"),
    async askUntil(status, path) {
      const deadline = Date.now() + waitLimitMs;
      for (;;) {
        const answer = await ask("GET", path);
        if (answer.status === status) return answer;
        assert.ok(Date.now() < deadline, `${path} still answers ${answer.status}, not ${status}`);
        await pause(20);
      }
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function change(config: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((changed, [from, to]) => {
    assert.ok(changed.includes(from), `the configuration has no ${from}`);
    return changed.replace(from, to);
  }, config);
}

async function send(
  port: number,
  method: string,
  path: string,
  { headers = {}, body, from }: AskOptions = {},
): Promise<Answer> {
  const call = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    headers,
    agent: false,
    ...(from && { localAddress: from }),
  });
  // A response can arrive before the whole body is sent, and the connection can end with it.
  call.on("error", () => {});
  call.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const content = await text(response);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: content,
    json: () => JSON.parse(content),
  };
}

/** Sends these bytes and reads one response, which ends with its JSON. */
async function sendBytes(port: number, bytes: string | Buffer): Promise<Answer> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  let received = "";
  for await (const chunk of socket) {
    received += chunk;
    if (received.endsWith("}\n")) break;
  }
  const [head = "", body = ""] = received.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => line.split(": ")));
  const status = Number(statusLine.split(" ")[1]);
  return { status, headers, body, json: () => JSON.parse(body) };
}
