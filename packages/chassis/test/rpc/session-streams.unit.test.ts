import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { TransientMap } from "../../src/base/transient-map.ts";
import { keepStreamsBriefly } from "../../src/rpc/session-streams.ts";

describe("the streams of an HTTP/2 session", () => {
  it("are kept in a TransientMap from the first stream on, and all end with the session", async () => {
    await using stack = new AsyncDisposableStack();
    const server = stack.adopt(createServer(), (started) => void started.close());
    let session: ServerHttp2Session | undefined;
    let sizeAtEnd = 0;
    server.on("stream", (stream, headers) => {
      session = stream.session as ServerHttp2Session;
      keepStreamsBriefly(session);
      stream.on("error", () => {});
      stream.respond();
      if (headers[":path"] !== "/open") stream.end("done");
      sizeAtEnd = streamsOf(session).size;
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    stack.defer(() => client.destroy());

    for (let call = 0; call < 3; call += 1) {
      const request = client.request({ ":path": "/" }).resume();
      await once(request, "close");
    }
    const open = client.request({ ":path": "/open" });
    open.on("error", () => {});
    await once(open, "response");
    assert.ok(session);
    assert.equal(sizeAtEnd, 1, "streams that have ended are no longer there");
    assert.equal(streamsOf(session).size, 1);
    session.destroy();
    await once(open, "close");
    assert.equal(streamsOf(session).size, 0);
  });
});

function streamsOf(session: ServerHttp2Session): TransientMap<unknown> {
  for (const key of Object.getOwnPropertySymbols(session)) {
    const state: unknown = Reflect.get(session, key);
    if (state instanceof Object && "streams" in state && state.streams instanceof TransientMap) {
      return state.streams;
    }
  }
  return assert.fail("the session does not keep its streams in a TransientMap");
}
