import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { type Lab, startLab } from "./lab.ts";

const page = "/gateway/orders/alice?pageSize=20";
const listOrders = "/orders.v1.OrdersService/ListOrders";
const watchOrders = "/orders.v1.OrdersService/WatchOrders";
const asJson = { "content-type": "application/json" };

/** The request `{userId: "alice", pageSize: 20}` in an envelope of gRPC-Web. */
const grpcWebList = Buffer.from("\0\0\0\0\x09\n\x05alice\x10\x14", "latin1");
const grpcWebWatch = Buffer.from("\0\0\0\0\x07\n\x05alice", "latin1");
const connectWatch = Buffer.from('\0\0\0\0\x12{"userId":"alice"}', "latin1");

describe("the edge compresses", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  /** Resolves with the response once its headers arrive. */
  const open = async (
    path: string,
    accepted: string | undefined,
    body?: string | Buffer,
    more: Readonly<Record<string, string>> = {},
  ) => {
    const { port, authorization } = lab;
    const headers = { authorization, ...(accepted && { "accept-encoding": accepted }), ...more };
    const method = body === undefined ? "GET" : "POST";
    const call = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
    call.end(body);
    const [response] = (await once(call, "response")) as [IncomingMessage];
    return response;
  };

  it("large responses of REST and Connect, if the caller accepts it", async () => {
    const list = JSON.stringify({ userId: "alice", pageSize: 20 });
    for (const [path, body] of [[page], [listOrders, list]] as const) {
      const plain = await open(path, undefined, body, body ? asJson : {});
      assert.equal(plain.headers["content-encoding"], undefined);
      assert.equal(plain.headers.vary, "Accept-Encoding");
      const expected = await buffer(plain);
      for (const accepted of ["gzip", "br, gzip;q=0.5", "deflate, gzip, zstd"]) {
        const response = await open(path, accepted, body, body ? asJson : {});
        assert.equal(response.headers["content-encoding"], "gzip", accepted);
        assert.equal(response.headers.vary, "Accept-Encoding");
        const compressed = await buffer(response);
        assert.ok(compressed.length < expected.length / 5);
        assert.deepEqual(gunzipSync(compressed), expected);
      }
    }
  });

  it("nothing that is small, or not accepted", async () => {
    for (const [path, accepted] of [
      ["/gateway/orders/alice", "gzip"],
      ["/gateway/nothing", "gzip"],
      [page, "identity"],
      [page, "gzip;q=0"],
      [page, "br"],
    ] as const) {
      const response = await open(path, accepted);
      assert.equal(response.headers["content-encoding"], undefined, `${path} ${accepted}`);
      JSON.parse((await buffer(response)).toString());
    }
  });

  it("no stream, and nothing in gRPC-Web", async () => {
    const web = { "content-type": "application/grpc-web+proto" };
    const stream = { "content-type": "application/connect+json" };
    const calls = [
      await open("/gateway/orders/alice:watch", "gzip"),
      await open(watchOrders, "gzip", connectWatch, stream),
      await open(watchOrders, "gzip", grpcWebWatch, web),
      await open(listOrders, "gzip", grpcWebList, web),
    ];
    for (const { headers, statusCode } of calls) {
      assert.equal(statusCode, 200);
      assert.equal(headers["content-encoding"], undefined, headers["content-type"]);
    }
    for (const response of calls) {
      // The first message arrives while the stream is open.
      await once(response, "data");
      response.destroy();
    }
  });

  it("only for a caller that asks: services do not see what it accepts", async () => {
    await buffer(await open("/gateway/payments/accounts/alice", "gzip"));
    assert.equal(lab.payments.seen.at(-1)?.get("accept-encoding"), null);
  });
});
