import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { OrderSchema } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { connectError, envelope, good, grpcCall, path, post, sendHttp1 } from "./rpc-raw.ts";
import { orderId, setup } from "./rpc-setup.ts";

const json = JSON.stringify({ userId: "alice", orderId });
const query = (parameters: Record<string, string>) => `${path}?${new URLSearchParams(parameters)}`;

describe("a Connect GET", () => {
  for (const useBinaryFormat of [false, true]) {
    it(`by a client is answered, ${useBinaryFormat ? "binary" : "JSON"}`, async () => {
      const odd = "o'b+c@d|e";
      const everyone = {
        userId: odd,
        scopes: new Set<string>(),
        expireTimeMs: Date.now() + 60_000,
      };
      await using bundle = await setup({ verifier: { verify: () => everyone } });
      const client = createClient(
        OrdersService,
        createConnectTransport({
          baseUrl: bundle.baseUrl,
          httpVersion: "1.1",
          useHttpGet: true,
          useBinaryFormat,
          sendCompression: compressionGzip,
          compressMinBytes: 10,
        }),
      );
      const order = await client.getOrder({ userId: odd, orderId });
      assert.deepEqual([order.id, order.userId], [orderId, odd]);
    });
  }

  it("has the parameters of the protocol and an answer that is not stored", async () => {
    await using bundle = await setup();
    const asJson = await fetch(
      bundle.baseUrl + query({ connect: "v1", encoding: "json", message: json }),
    );
    assert.equal(asJson.headers.get("cache-control"), "no-store");
    assert.equal(((await asJson.json()) as { userId: string }).userId, "alice");
    const message = Buffer.from(good).toString("base64url");
    const binary = await fetch(bundle.baseUrl + query({ base64: "1", encoding: "proto", message }));
    assert.equal(binary.headers.get("content-type"), "application/proto");
    const order = fromBinary(OrderSchema, new Uint8Array(await binary.arrayBuffer()));
    assert.equal(order.userId, "alice");
    const packed = gzipSync(json).toString("base64");
    const inflated = await fetch(
      bundle.baseUrl +
        query({ encoding: "json", compression: "gzip", base64: "1", message: packed }),
    );
    assert.equal(inflated.status, 200);
  });

  const encoded = encodeURIComponent(json);
  const refused: [string, string, RegExp][] = [
    ["", "VALIDATION_FAILED", /^encoding: is required; message: is required$/],
    [
      `encoding=json&message=${encoded}&mesage=1`,
      "MALFORMED_REQUEST",
      /no query parameter "mesage"/,
    ],
    [`%65ncoding=proto&message=${encoded}`, "MALFORMED_REQUEST", /not a valid orders.v1.GetOrderR/],
    [`encoding=json&message=${encoded}&message={}`, "VALIDATION_FAILED", /^message: set more than/],
    [`encoding=json&message=${encoded}&messag%65={}`, "VALIDATION_FAILED", /^message: set more/],
    [`encoding=xml&message=${encoded}`, "VALIDATION_FAILED", /^encoding: must be json or proto/],
    [`encoding=json&message=${encoded}&base64=0`, "VALIDATION_FAILED", /^base64: must be 1/],
    [`encoding=json&message=${encoded}&connect=v2`, "VALIDATION_FAILED", /^connect: must be v1/],
    ["encoding=json&message=%7B%22x%22:1%7D", "VALIDATION_FAILED", /^x: no such field/],
    ["encoding=json&message=%ff", "MALFORMED_REQUEST", /UTF-8/],
    ["encoding=json&message=%", "MALFORMED_REQUEST", /UTF-8/],
    ["encoding=json&base64=1&message=%%%", "MALFORMED_REQUEST", /UTF-8/],
    ["encoding=proto&base64=1&message=!", "MALFORMED_REQUEST", /base64/],
    ["encoding=json&compression=gzip&message=x", "MALFORMED_REQUEST", /gzip/],
    ["encoding=json&compression=br&message=x", "MALFORMED_REQUEST", /compression/],
  ];
  for (const [text, reason, message] of refused) {
    it(`is refused: ${text}`, async () => {
      await using bundle = await setup();
      const { status, body } = await sendHttp1(bundle.port, `${path}?${text}`, [], undefined);
      const error = connectError(body.toString());
      assert.equal(error.reason, reason);
      assert.match(error.message, message);
      assert.equal(status, text.includes("=br") ? 501 : 400);
    });
  }

  it("with a message that is too large is refused, also when only its inflated size is", async () => {
    await using bundle = await setup({ limits: { maxRequestBytes: 1_000 } });
    const large = JSON.stringify({ userId: "a".repeat(1_000), orderId });
    const message = gzipSync(large).toString("base64url");
    for (const parameters of [{ message: large }, { base64: "1", compression: "gzip", message }]) {
      const response = await fetch(bundle.baseUrl + query({ encoding: "json", ...parameters }));
      assert.equal(response.status, 429);
      assert.equal(connectError(await response.text()).reason, "REQUEST_TOO_LARGE");
    }
  });

  it("that is too long for a URL is refused", async () => {
    await using bundle = await setup();
    const message = JSON.stringify({ userId: "a".repeat(17_000), orderId });
    const response = await fetch(bundle.baseUrl + query({ encoding: "json", message }));
    assert.equal(response.status, 431);
    assert.equal(connectError(await response.text()).reason, "REQUEST_TOO_LARGE");
  });
});

describe("a compressed request", () => {
  it("is served by Connect, whole or of a stream, and by gRPC-Web and gRPC", async () => {
    await using bundle = await setup();
    const compressed = {
      sendCompression: compressionGzip,
      compressMinBytes: 1,
      httpVersion: "1.1",
    } as const;
    for (const transport of [
      createConnectTransport({ baseUrl: bundle.baseUrl, ...compressed }),
      createConnectTransport({ baseUrl: bundle.baseUrl, ...compressed, useBinaryFormat: true }),
      createGrpcWebTransport({ baseUrl: bundle.baseUrl, ...compressed }),
    ]) {
      const order = await createClient(OrdersService, transport).getOrder({
        userId: "alice",
        orderId,
      });
      assert.equal(order.userId, "alice");
    }
    for (const encoding of ["gzip", "identity"]) {
      const { text } = await post(
        bundle.baseUrl,
        "application/json",
        encoding === "gzip" ? gzipSync(json) : json,
        { "content-encoding": encoding },
      );
      assert.equal(JSON.parse(text).userId, "alice");
    }
    const gzip = { "grpc-encoding": "gzip" };
    assert.equal((await grpcCall(bundle.port, envelope(gzipSync(good), 1), gzip)).code, 0);
    const named = {
      "connect-content-encoding": "gzip",
      "content-type": "application/connect+json",
    };
    const stream = await fetch(`${bundle.baseUrl}/test.v1.Ticker/Tick`, {
      method: "POST",
      headers: named,
      body: envelope(gzipSync('{"number":2}'), 1),
    });
    const ticks = (await stream.text()).match(/"number":\d/g);
    assert.deepEqual(ticks, ['"number":1', '"number":2']);
  });

  it("must name its compression, of which the refusal lists those that are served", async () => {
    await using bundle = await setup();
    const body = envelope(gzipSync(good), 1);
    const { text } = await post(bundle.baseUrl, "application/grpc-web+proto", body);
    assert.match(text, /grpc-status: 3\r\n/);
    const br = ["content-type", "application/json", "content-encoding", "br"];
    const { status, headers } = await sendHttp1(bundle.port, path, br, Buffer.from("{}"));
    assert.deepEqual([status, headers["accept-encoding"]], [501, "gzip"]);
  });
});
