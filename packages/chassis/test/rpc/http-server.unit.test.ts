import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { startHttpServer } from "../../src/rpc/http-server.ts";

const host = "127.0.0.1";
const request = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";

describe("a plain HTTP server", () => {
  it("finishes responses in progress when it stops, and keeps no connection open", async () => {
    const arrivals = new EventEmitter();
    const server = await startHttpServer({
      host,
      port: 0,
      answer: (_, response) => arrivals.emit("request", response),
    });
    const socket = connect(Number(new URL(server.url).port), host);
    socket.write(request);
    const [response] = (await once(arrivals, "request")) as [ServerResponse];
    const startedMs = performance.now();
    const stopped = server[Symbol.asyncDispose]();
    response.end("late");
    const [answer] = await once(socket, "data");
    assert.match(String(answer), /^HTTP\/1\.1 200 OK\r\n[\s\S]*late$/);
    await stopped;
    assert.ok(performance.now() - startedMs < 2_000);
  });

  it("throws if it cannot listen", async () => {
    await using server = await startHttpServer({ host, port: 0, answer: () => {} });
    const port = Number(new URL(server.url).port);
    await assert.rejects(startHttpServer({ host, port, answer: () => {} }), /EADDRINUSE/);
  });
});
