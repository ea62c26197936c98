import assert from "node:assert/strict";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetOrderRequestSchema } from "@settle/gen/orders/v1/orders_service_pb";
import {
  envelope,
  good,
  path,
  type RawProtocol,
  type RawRequest,
  rawProtocols,
  refusalBy,
  sendHttp1,
} from "./rpc-raw.ts";
import { orderId, setup } from "./rpc-setup.ts";

const domain = "orders.settle";
const tick = "/test.v1.Ticker/Tick";
/** The method that each protocol calls here, and the message for it. */
const targets: Readonly<Record<RawProtocol, { path: string; message: Uint8Array }>> = {
  grpc: { path, message: good },
  "grpc-web": { path, message: good },
  connect: { path, message: good },
  "connect-stream": { path: tick, message: Buffer.from([0x08, 0x01]) },
};
const bomb = gzipSync(Buffer.alloc(50_000_000));
assert.ok(bomb.length < 64 * 1024);
const large = toBinary(
  GetOrderRequestSchema,
  create(GetOrderRequestSchema, { userId: "a".repeat(65 * 1024), orderId }),
);

/** The header that names the compression of a message, and the body with such a message. */
function packed(protocol: RawProtocol, encoding: string, bytes: Uint8Array): Partial<RawRequest> {
  if (protocol === "connect") return { headers: ["content-encoding", encoding], body: bytes };
  const name = protocol === "connect-stream" ? "connect-content-encoding" : "grpc-encoding";
  return { headers: [name, encoding], body: envelope(bytes, 1) };
}

for (const protocol of rawProtocols) {
  const { message, ...target } = targets[protocol];
  const whole = protocol === "connect" ? message : envelope(message);

  describe(`a refusal by ${protocol} has a code and a reason`, () => {
    const cases: [string, RawRequest, string, string][] = [
      ["an unknown method", { path: `${path}s` }, "Unimplemented", "ROUTE_NOT_FOUND"],
      ["an unknown service", { path: "/a.v1.A/B" }, "Unimplemented", "ROUTE_NOT_FOUND"],
      ["a path that is none", { path: "/%[" }, "Unimplemented", "ROUTE_NOT_FOUND"],
      [
        "bytes that are no message",
        { ...target, body: protocol === "connect" ? Buffer.of(0xff) : envelope(Buffer.of(0xff)) },
        "InvalidArgument",
        "MALFORMED_REQUEST",
      ],
      [
        "a large message",
        { ...target, body: protocol === "connect" ? large : envelope(large) },
        "ResourceExhausted",
        "REQUEST_TOO_LARGE",
      ],
      [
        "a message that is large when it is inflated",
        { ...target, ...packed(protocol, "gzip", bomb) },
        "ResourceExhausted",
        "REQUEST_TOO_LARGE",
      ],
      [
        "an unknown compression",
        { ...target, ...packed(protocol, "br", brotliCompressSync(message)) },
        "Unimplemented",
        "MALFORMED_REQUEST",
      ],
      [
        "a damaged compression",
        { ...target, ...packed(protocol, "gzip", Buffer.from("no gzip")) },
        "InvalidArgument",
        "MALFORMED_REQUEST",
      ],
      [
        "a compression that ends early",
        { ...target, ...packed(protocol, "gzip", gzipSync(message).subarray(0, -9)) },
        "InvalidArgument",
        "MALFORMED_REQUEST",
      ],
      [
        "a timeout that is none",
        {
          ...target,
          body: whole,
          headers: [protocol.startsWith("grpc") ? "grpc-timeout" : "connect-timeout-ms", "1 day"],
        },
        "InvalidArgument",
        "VALIDATION_FAILED",
      ],
    ];
    for (const [what, request, code, reason] of cases) {
      it(`for ${what}`, async () => {
        await using bundle = await setup();
        const refusal = await refusalBy(protocol, bundle.port, request);
        assert.deepEqual(refusal, { code, reason, domain });
      });
    }

    it("for a deadline of a millisecond, which is not the fault of the service", async () => {
      await using bundle = await setup({
        orders: { getOrder: () => new Promise(() => {}) },
        async *tick() {
          await new Promise(() => {});
        },
      });
      const timeout = protocol.startsWith("grpc")
        ? ["grpc-timeout", "1m"]
        : ["connect-timeout-ms", "1"];
      for (let call = 0; call < 20; call += 1) {
        const request = { ...target, body: whole, headers: timeout };
        const refusal = await refusalBy(protocol, bundle.port, request);
        assert.deepEqual(refusal, {
          code: "DeadlineExceeded",
          reason: "DEADLINE_EXCEEDED",
          domain,
        });
      }
      for (const { level } of bundle.logs) assert.equal(level, 30);
    });

    if (protocol === "connect") return;

    it("for a body that is not one message", async () => {
      await using bundle = await setup();
      const bodies = [Buffer.of(), whole.subarray(0, -1), Buffer.concat([whole, whole])];
      const code = protocol === "grpc" ? "Unimplemented" : "InvalidArgument";
      for (const body of bodies) {
        const refusal = await refusalBy(protocol, bundle.port, { ...target, body });
        assert.deepEqual(refusal, { code, reason: "MALFORMED_REQUEST", domain });
      }
    });
  });
}

describe("JSON with an unknown field", () => {
  const faulty = Buffer.from('{"usrId":"alice"}');
  const ways: [RawProtocol, RawRequest][] = [
    ["connect", { path, type: "application/json", body: faulty }],
    ["connect-stream", { path: tick, type: "application/connect+json", body: envelope(faulty) }],
    ["grpc-web", { path, type: "application/grpc-web+json", body: envelope(faulty) }],
    [
      "connect-stream",
      {
        path: tick,
        type: "application/connect+json",
        headers: ["connect-content-encoding", "gzip"],
        body: envelope(gzipSync(faulty), 1),
      },
    ],
  ];
  for (const [protocol, request] of ways) {
    it(`is refused by ${protocol}, in ${request.type}`, async () => {
      await using bundle = await setup();
      const refusal = await refusalBy(protocol, bundle.port, request);
      assert.deepEqual(refusal, { code: "InvalidArgument", reason: "VALIDATION_FAILED", domain });
    });
  }

  it("is not read in binary, where unknown fields pass", async () => {
    await using bundle = await setup();
    const body = Buffer.concat([good, Buffer.from([0xfa, 0x07, 1, 0x78])]);
    const refusal = await refusalBy("connect", bundle.port, { path, body });
    assert.equal(refusal.code, undefined);
    assert.equal(
      (await refusalBy("grpc", bundle.port, { path, body: envelope(body) })).code,
      undefined,
    );
  });
});

describe("text that is not UTF-8", () => {
  for (const protocol of ["grpc", "grpc-web", "connect"] as const) {
    it(`is refused by ${protocol} in binary as well`, async () => {
      await using bundle = await setup();
      // The user id `a\xff`, and then the order id of a good message.
      const bytes = Buffer.concat([Buffer.of(0x0a, 2, 0x61, 0xff), good.subarray(7)]);
      const body = protocol === "connect" ? bytes : envelope(bytes);
      const refusal = await refusalBy(protocol, bundle.port, { path, body });
      assert.deepEqual(refusal, { code: "InvalidArgument", reason: "MALFORMED_REQUEST", domain });
    });
  }
});

describe("a health check of an unknown service", () => {
  it("has a reason as well", async () => {
    await using bundle = await setup();
    const body = envelope(Buffer.from([0x0a, 1, 0x78]));
    const refusal = await refusalBy("grpc", bundle.port, {
      path: "/grpc.health.v1.Health/Check",
      body,
    });
    assert.deepEqual(refusal, { code: "NotFound", reason: "ROUTE_NOT_FOUND", domain });
  });
});

describe("a request to no handler", () => {
  const json = ["content-type", "application/json"];

  it("with another HTTP method is 405, and names those that are allowed", async () => {
    await using bundle = await setup();
    const create = "/orders.v1.OrdersService/CreateOrder";
    const { status, headers, body } = await sendHttp1(bundle.port, create, [], undefined);
    assert.equal(status, 405);
    assert.equal(headers.allow, "POST");
    const { code, message, details } = JSON.parse(body.toString());
    assert.equal(code, "unimplemented");
    assert.equal(message, "this method accepts only POST");
    assert.deepEqual(details[0].debug, { reason: "ROUTE_NOT_FOUND", domain });
    const put = await fetch(bundle.baseUrl + path, { method: "PUT" });
    assert.deepEqual([put.status, put.headers.get("allow")], [405, "GET, POST"]);
  });

  it("with another content type is 415 in the form of Connect", async () => {
    await using bundle = await setup();
    for (const type of [
      "text/plain",
      "application/json; charset=latin1",
      "application/connect+json",
      "application/x-www-form-urlencoded",
      "",
    ]) {
      const headers = type ? ["content-type", type] : [];
      const { status, body } = await sendHttp1(bundle.port, path, headers, Buffer.from("{}"));
      assert.equal(status, 415, type);
      const { code, details } = JSON.parse(body.toString());
      assert.equal(code, "invalid_argument");
      assert.deepEqual(details[0].debug, { reason: "MALFORMED_REQUEST", domain });
    }
  });

  it("with the text of gRPC-Web, which only the edge serves, is refused in the form of gRPC-Web", async () => {
    await using bundle = await setup();
    const type = "application/grpc-web-text";
    const refusal = await refusalBy("grpc-web", bundle.port, { path, type });
    assert.deepEqual(refusal, { code: "InvalidArgument", reason: "MALFORMED_REQUEST", domain });
  });

  it("with a query is refused by the names in it, unless it is a GET", async () => {
    await using bundle = await setup();
    const { status, body } = await sendHttp1(bundle.port, `${path}?a=1`, json, Buffer.from("{}"));
    assert.equal(status, 400);
    assert.equal(JSON.parse(body.toString()).message, 'there is no query parameter "a"');
  });

  it("has a request id and the form of Connect on any path", async () => {
    await using bundle = await setup();
    for (const route of ["/", "/nonsense?x=1", "/orders.v1.OrdersService/Nonsense", "//["]) {
      const { status, headers, body } = await sendHttp1(bundle.port, route, [], undefined);
      assert.equal(status, 404);
      assert.match(String(headers["x-request-id"]), /^[0-9a-f-]{36}$/);
      const { code, message, details } = JSON.parse(body.toString());
      assert.deepEqual([code, message], ["unimplemented", "no such service or method"]);
      assert.equal(details[0].type, "google.rpc.ErrorInfo");
      assert.deepEqual(details[0].debug, { reason: "ROUTE_NOT_FOUND", domain });
    }
  });
});

describe("what is sent twice", () => {
  const token = ["authorization", "Bearer a", "Authorization", "Bearer b"];
  const seen: (string | null)[] = [];

  for (const protocol of ["grpc", "grpc-web", "connect"] as const) {
    it(`does not reach a handler by ${protocol}: tokens and keys become empty`, async () => {
      seen.length = 0;
      await using bundle = await setup({
        verifier: {
          verify(authorization) {
            seen.push(String(authorization));
            return { userId: "alice", scopes: new Set(), expireTimeMs: Number.MAX_SAFE_INTEGER };
          },
        },
        orders: {
          getOrder({ userId }, { requestHeader }) {
            seen.push(requestHeader.get("idempotency-key"));
            return { userId };
          },
        },
      });
      const keys = ["idempotency-key", "a", "idempotency-key", "b"];
      const body = protocol === "connect" ? good : envelope(good);
      const headers = [...token, ...keys].map((text) =>
        text === "Authorization" ? text.toLowerCase() : text,
      );
      await refusalBy(protocol, bundle.port, { path, body, headers });
      assert.deepEqual(seen, ["", ""]);
      await refusalBy(protocol, bundle.port, {
        path,
        body,
        headers: ["authorization", "Bearer a", "idempotency-key", "a"],
      });
      assert.deepEqual(seen, ["", "", "Bearer a", "a"]);
    });
  }
});
