import assert from "node:assert/strict";
import { connect as connectHttp2, constants } from "node:http2";
import { Code } from "@connectrpc/connect";
import { connectError, envelope, good, grpcCall, path, post } from "./rpc-raw.ts";
import { dial, exchange, orderId, setup } from "./rpc-setup.ts";

const garbage = Buffer.from("ff00fe01fd02", "hex");

describe("bytes that are no message", () => {
  it("are INVALID_ARGUMENT by gRPC", async () => {
    await using bundle = await setup();
    for (const bytes of [garbage, Buffer.alloc(60_000, 0x0b)]) {
      assert.deepEqual(await grpcCall(bundle.port, envelope(bytes)), {
        code: Code.InvalidArgument,
        message: "the request is not a valid orders.v1.GetOrderRequest",
        reason: "MALFORMED_REQUEST",
      });
    }
    assert.equal(bundle.logs.length, 2);
  });

  it("are INVALID_ARGUMENT by Connect, and not quoted", async () => {
    await using bundle = await setup();
    const json = "application/json";
    const bodies: [string, string | Uint8Array, string][] = [
      ["application/proto", garbage, "a valid orders.v1.GetOrderRequest"],
      [json, "gar<bage>", "valid JSON"],
      [json, "", "valid JSON"],
      [json, "[".repeat(60_000), "valid JSON"],
      [json, '{"userId":"\\ud800"', "valid JSON"],
      [json, '{"userId":"\\ud800"}', "a valid orders.v1.GetOrderRequest"],
      [json, Buffer.from('{"userId":"\xe9"}', "latin1"), "valid UTF-8"],
    ];
    for (const [type, body, what] of bodies) {
      const { status, text } = await post(bundle.baseUrl, type, body);
      assert.equal(status, 400);
      assert.deepEqual(connectError(text), {
        code: "invalid_argument",
        message: `the request is not ${what}`,
        reason: "MALFORMED_REQUEST",
      });
    }
    assert.equal(bundle.logs.length, bodies.length);
  });

  it("are INVALID_ARGUMENT by gRPC-Web, whatever the envelope says", async () => {
    await using bundle = await setup();
    const twice = Buffer.concat([envelope(good), envelope(good)]);
    const bodies = [envelope(garbage), envelope(good).subarray(0, 9), garbage, twice, Buffer.of()];
    for (const body of [...bodies, envelope(good, 1), envelope(good, 0x80)]) {
      const { status, text } = await post(bundle.baseUrl, "application/grpc-web+proto", body);
      assert.equal(status, 200);
      assert.match(text, /grpc-status: 3\r\n/);
      assert.match(text, /grpc-status-details-bin: /);
    }
  });
});

describe("a message that is too large", () => {
  it("is RESOURCE_EXHAUSTED by Connect, with or without a length", async () => {
    await using bundle = await setup();
    const json = JSON.stringify({ userId: "a".repeat(10_000_000), orderId });
    for (const body of [json, new Blob([json]).stream()]) {
      const response = await fetch(bundle.baseUrl + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        duplex: "half",
      } as RequestInit);
      assert.deepEqual(connectError(await response.text()), {
        code: "resource_exhausted",
        message: "the request is larger than 65536 bytes",
        reason: "REQUEST_TOO_LARGE",
      });
    }
  });
});

describe("a plain HTTP request", () => {
  const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));

  it("with a bad Host is refused and the server lives on", async () => {
    await using bundle = await setup();
    const head = `POST ${path} HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n`;
    for (const host of ["[", "x:99999", "%", "", "a b"]) {
      const answer = await exchange(
        bundle.port,
        `${head}Host: ${host}\r\nContent-Length: 2\r\n\r\n{}`,
      );
      assert.match(answer, /^HTTP\/1\.1 400 /, host);
      assert.equal(bodyOf(answer).details[0].debug.reason, "MALFORMED_REQUEST");
    }
    const old = await exchange(
      bundle.port,
      `POST ${path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    assert.match(old, /^HTTP\/1\.1 400 /);
    const without = await exchange(bundle.port, `${head}\r\n`);
    assert.match(without, /^HTTP\/1\.1 400 /);
    assert.equal(bodyOf(without).details[0].debug.reason, "MALFORMED_REQUEST");
    assert.equal((await fetch(`${bundle.baseUrl}/healthz`)).status, 200);
  });

  it("that cannot be parsed is refused", async () => {
    await using bundle = await setup();
    const answers: [string, RegExp, string][] = [
      ["nonsense\r\n\r\n", /^HTTP\/1\.1 400 /, "MALFORMED_REQUEST"],
      ["PR", /^HTTP\/1\.1 400 /, "MALFORMED_REQUEST"],
      [
        `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
        /^HTTP\/1\.1 431 /,
        "REQUEST_TOO_LARGE",
      ],
    ];
    for (const [bytes, status, reason] of answers) {
      const socket = await dial(bundle.port);
      socket.end(bytes);
      let text = "";
      for await (const chunk of socket) text += chunk;
      assert.match(text, status, bytes.slice(0, 20));
      assert.equal(bodyOf(text).details[0].debug.reason, reason);
    }
  });

  it("with a timeout of days, or an invalid one, does no harm", async () => {
    await using bundle = await setup();
    const json = JSON.stringify({ userId: "alice", orderId });
    const days = { "connect-timeout-ms": "9999999999" };
    assert.equal((await post(bundle.baseUrl, "application/json", json, days)).status, 200);
    const nonsense = { "connect-timeout-ms": "soon" };
    assert.equal((await post(bundle.baseUrl, "application/json", json, nonsense)).status, 400);
    const hours = { "grpc-timeout": "99999999H" };
    const web = await post(bundle.baseUrl, "application/grpc-web+proto", envelope(good), hours);
    assert.match(web.text, /grpc-status: 0/);
  });
});

describe("a connection", () => {
  it("that sends too little is closed in time", async () => {
    await using bundle = await setup({ limits: { prefaceTimeoutMs: 30 } });
    for (const start of ["", "P", "PR"]) assert.equal(await exchange(bundle.port, start), "");
  });

  it("whose headers do not arrive is closed in time", async () => {
    await using bundle = await setup({ limits: { headersTimeoutMs: 30, requestTimeoutMs: 60 } });
    const answer = await exchange(bundle.port, "POST / HTTP/1.1\r\nHost: x\r\n");
    assert.match(answer, /^HTTP\/1\.1 408 /);
  });

  it("whose HTTP/2 preface is incomplete is closed in time", async () => {
    await using bundle = await setup({ limits: { pingIntervalMs: 30, pingTimeoutMs: 30 } });
    await exchange(bundle.port, "PRI * HTTP/2.0\r\n");
  });

  it("above the largest number is closed at once", async () => {
    await using bundle = await setup({ limits: { maxConnections: 1 } });
    const first = await dial(bundle.port);
    const second = await dial(bundle.port);
    await new Promise((resolve) => second.once("close", resolve));
    first.destroy();
  });

  it("may be cut at any moment", async () => {
    await using bundle = await setup();
    for (const start of [
      "",
      "P",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      `POST ${path} HTTP/1.1\r\nHost`,
    ]) {
      const socket = await dial(bundle.port);
      socket.write(start);
      socket.resetAndDestroy();
    }
    assert.equal((await fetch(`${bundle.baseUrl}/healthz`)).status, 200);
  });
});

describe("an HTTP/2 request that is no gRPC call", () => {
  it("is refused and the server lives on", async () => {
    await using bundle = await setup();
    const session = connectHttp2(bundle.baseUrl);
    const status = (headers: Record<string, string>) =>
      new Promise((resolve) => {
        const stream = session.request(headers);
        stream.on("response", (given) => resolve(given[constants.HTTP2_HEADER_STATUS]));
        stream.on("error", resolve);
        stream.resume();
      });
    assert.equal(await status({ ":path": "/healthz" }), 415);
    for (const type of ["application/grpc+json", "application/grpc-web", "application/json"]) {
      const post = { ":method": "POST", ":path": path, "content-type": type };
      assert.equal(await status(post), 415, type);
    }
    await status({ ":path": "/\u00ff[%", "content-type": "application/grpc", ":method": "POST" });
    await status({ ":path": path, "content-type": "application/grpc", "x!": "\u00ff" });
    session.destroy();
    assert.equal((await grpcCall(bundle.port, envelope(good))).code, 0);
  });
  it("may be reset before it is looked at", async () => {
    await using bundle = await setup();
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    // A foreign content type, and a foreign path.
    for (const type of ["text/html", "application/grpc"]) {
      const fields = [
        0x83,
        0x86,
        0x84,
        0x01,
        1,
        0x78,
        0x0f,
        0x10,
        type.length,
        ...Buffer.from(type),
      ];
      const socket = await dial(bundle.port);
      const settings = frame(4, 0, 0, []);
      const request = [frame(1, 4, 1, fields), frame(3, 0, 1, [0, 0, 0, 8])];
      socket.end(Buffer.concat([preface, settings, ...request]));
      for await (const _ of socket);
    }
    assert.equal((await grpcCall(bundle.port, envelope(good))).code, 0);
  });
});

describe("a connection that calls of many users share", () => {
  it("stays open, however many of them are left", async () => {
    await using bundle = await setup({ orders: { getOrder: () => new Promise(() => {}) } });
    const session = connectHttp2(bundle.baseUrl);
    const leave = () =>
      new Promise((resolve) => {
        const fields = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
        const stream = session.request({ ...fields, te: "trailers" });
        stream.on("error", () => {});
        stream.on("close", resolve);
        stream.end(envelope(good), () => stream.close(constants.NGHTTP2_CANCEL));
      });
    for (let left = 0; left < 1_500; left += 50) {
      await Promise.all(Array.from({ length: 50 }, leave));
    }
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error ? reject(error) : resolve()));
    });
    assert.equal(session.closed, false);
    session.destroy();
  });
});

/** An HTTP/2 frame. */
function frame(type: number, flags: number, stream: number, payload: number[]): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Buffer.from(payload)]);
}
