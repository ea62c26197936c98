import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { assertWhole, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import {
  type Replica,
  type ServiceName,
  type System,
  startSystem,
} from "../harness/system/system.ts";

const paths = ["/healthz", "/orders.v1.OrdersService/CreateOrder", "/gateway/orders/alice", "/"];
const hosts = [
  "[",
  "]",
  "[::",
  "a b",
  "@",
  "?",
  "#",
  "%",
  "\\",
  "a:99999",
  "",
  "é",
  "x".repeat(9_000),
];

describe("a bad host", function () {
  this.timeout(checkTimeoutMs);
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
  });
  after(() => system?.[Symbol.asyncDispose]());

  const targets = () => [system.edgeUrl, replicas.orders.url, replicas.payments.url];

  /** Sends one HTTP/1.1 request unchanged and resolves with the first data, if there is any. */
  const send = async (url: string, lines: readonly string[], body = "") => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    const end = [`content-length: ${body.length}`, "connection: close", "", body];
    socket.write([...lines, ...end].join("\r\n"));
    // The edge keeps a connection for a second after an early response; the test does not wait.
    const answer = await new Promise<string>((resolve) => {
      socket.once("data", (chunk) => resolve(chunk.toString("latin1")));
      socket.once("close", () => resolve(""));
    });
    socket.destroy();
    return answer;
  };

  it("in a Host header gets a response from services and edge, and does no harm", async () => {
    for (const url of targets()) {
      for (const host of hosts) {
        for (const path of paths) {
          const request = [
            `POST ${path} HTTP/1.1`,
            `host: ${host}`,
            "content-type: application/json",
          ];
          assert.match(await send(url, request, "{}"), /^HTTP\/1\.1 [24]\d\d /, `${host} ${path}`);
        }
      }
      for (const request of [
        ["GET /healthz HTTP/1.1"],
        ["GET /healthz HTTP/1.1", "host: a", "host: ["],
        ["GET http://[/healthz HTTP/1.1", "host: a"],
        ["GET /healthz HTTP/1.0"],
      ]) {
        assert.match(await send(url, request), /^HTTP\/1\.[01] [24]\d\d |^$/, request.join());
      }
    }
  });

  it("as an HTTP/2 authority gets a response from services and edge, and does no harm", async () => {
    for (const url of targets()) {
      for (const authority of hosts) {
        const session = connectHttp2(url);
        session.on("error", () => {});
        const stream = session.request({
          ":method": "POST",
          ":path": "/orders.v1.OrdersService/CreateOrder",
          ":authority": authority,
          "content-type": "application/grpc",
          te: "trailers",
        });
        // A response, a reset stream or a closed connection are all acceptable.
        stream.on("error", () => {});
        stream.end(Buffer.alloc(5));
        stream.resume();
        await new Promise((resolve) => stream.once("close", resolve));
        session.destroy();
      }
    }
  });

  it("leaves everything running", async () => {
    for (const url of targets()) assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const history = createHistory();
    const shopper = createShopper(history, system.call);
    await shopper.fundedAccount("alice", 10n);
    await shopper.createOrder("alice", 10n);
    await assertWhole(system, history);
  });
});
