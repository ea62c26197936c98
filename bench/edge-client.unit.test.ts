import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createEdgeClient } from "./edge-client.ts";

/**
 * A server that sends the next of `answers` for each request, in the given parts, and closes the
 * connection when there are no more.
 */
async function serve(answers: readonly (readonly string[])[]) {
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("data", async (request) => {
      requests.push(request.toString());
      const answer = answers[requests.length - 1];
      if (!answer) socket.destroy();
      for (const piece of answer ?? []) {
        socket.write(piece);
        await new Promise(setImmediate);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => connections,
    [Symbol.dispose]: () => void server.close(),
  };
}

describe("the edge client", () => {
  it("posts one request after another on one connection, wherever responses are split", async () => {
    using server = await serve([
      ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour"],
      ["HTTP/1.1 404 No", "t Found\r\ncontent-length: 6\r", "\n\r\n", "sév", "en"],
    ]);
    using client = createEdgeClient(server.port);
    const [first, second] = [
      await client.post("/a", "Bearer one", '{"ö":1}'),
      await client.post("/b", "Bearer two", "{}"),
    ];
    assert.deepEqual(first, { status: 200, body: "four" });
    assert.deepEqual(second, { status: 404, body: "séven" });
    assert.equal(server.connections(), 1);
    assert.match(server.requests[0] ?? "", /^POST \/a HTTP\/1\.1\r\n.*content-length: 8\r\n\r\n/s);
    assert.match(server.requests[1] ?? "", /^POST \/b .*\r\nauthorization: Bearer two\r\n/s);
  });

  it("rejects a response without a known length, and a connection that breaks", async () => {
    using server = await serve([["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"]]);
    using client = createEdgeClient(server.port);
    await assert.rejects(client.post("/", "", "{}"), /without content-length/);
    await assert.rejects(client.post("/", "", "{}"), /closed the connection/);
  });
});
