import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { Client, credentials } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { service } from "grpc-health-check";
import { dial, orderId, protocols, setup, signal } from "./rpc-setup.ts";

const request = { userId: "alice", orderId };

async function refusalOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.catch((reason: unknown) => reason);
  assert.ok(error instanceof ConnectError, String(error));
  return error;
}

describe("a graceful stop", () => {
  for (const protocol of protocols) {
    it(`lets a call under way finish by ${protocol}`, async () => {
      const started = signal();
      const answer = signal<{ id: string }>();
      await using bundle = await setup({
        limits: { abortAfterMs: 5_000 },
        orders: {
          getOrder() {
            started.resolve();
            return answer.promise;
          },
        },
      });
      const call = bundle.orders(protocol).getOrder(request);
      await started.promise;
      const stopped = bundle.server[Symbol.asyncDispose]();
      answer.resolve({ id: "finished" });
      assert.equal((await call).id, "finished");
      await stopped;
      await assert.rejects(dial(bundle.port), { code: "ECONNREFUSED" });
    });

    it(`answers UNAVAILABLE to what does not finish by ${protocol}`, async () => {
      const started = signal();
      const ticking = signal();
      await using bundle = await setup({
        orders: {
          getOrder() {
            started.resolve();
            return new Promise(() => {});
          },
        },
        async *tick() {
          yield { number: 1 };
          ticking.resolve();
          await new Promise(() => {});
        },
      });
      const call = refusalOf(bundle.orders(protocol).getOrder(request));
      const stream = refusalOf(Array.fromAsync(bundle.ticks(protocol, 1)));
      await Promise.all([started.promise, ticking.promise]);
      await bundle.server[Symbol.asyncDispose]();
      for (const error of await Promise.all([call, stream])) {
        assert.equal(error.code, Code.Unavailable);
        assert.equal(error.rawMessage, "the service is shutting down");
        assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "UNAVAILABLE");
      }
    });
  }

  it("reports NOT_SERVING while it still answers", async () => {
    await using bundle = await setup({ limits: { drainMs: 200 } });
    const stopped = bundle.server[Symbol.asyncDispose]();
    assert.equal((await fetch(`${bundle.baseUrl}/healthz`)).status, 503);
    assert.equal((await bundle.orders("grpc").getOrder(request)).id, orderId);
    await stopped;
  });

  it("ends idle connections at once", async () => {
    await using bundle = await setup({ limits: { abortAfterMs: 60_000 } });
    const agent = new Agent({ keepAlive: true });
    await new Promise((resolve) => {
      get(`${bundle.baseUrl}/healthz`, { agent }, (response) =>
        response.resume().on("end", resolve),
      );
    });
    await bundle.orders("grpc").getOrder(request);
    const silent = await dial(bundle.port);
    await bundle.server[Symbol.asyncDispose]();
    silent.destroy();
    agent.destroy();
  });

  it("ends in time although clients are stuck", async () => {
    await using bundle = await setup({
      async *tick() {
        for (;;) yield { number: 1 };
      },
    });
    // One neither reads its stream, nor ever ends its request; the other sends half of one.
    const session = connectHttp2(bundle.baseUrl);
    const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ...headers, ":path": "/test.v1.Ticker/Tick" });
    const open = session.request({ ...headers, ":path": "/orders.v1.OrdersService/GetOrder" });
    for (const part of [session, stream, open]) part.on("error", () => {});
    stream.end(Buffer.from("00000000020801", "hex"));
    const half = await dial(bundle.port);
    half.on("error", () => {});
    half.write(
      "POST /orders.v1.OrdersService/GetOrder HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    );
    await new Promise((resolve) => stream.once("response", resolve));
    const startedMs = performance.now();
    await bundle.server[Symbol.asyncDispose]();
    assert.ok(performance.now() - startedMs < 2_000);
    session.destroy();
    half.destroy();
  });

  it("ends a health watch after its last status", async () => {
    await using bundle = await setup({ limits: { abortAfterMs: 60_000 } });
    const client = new Client(`127.0.0.1:${bundle.port}`, credentials.createInsecure());
    const { Watch } = service;
    assert.ok(Watch);
    const { path, requestSerialize, responseDeserialize } = Watch;
    const watch = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
    const seen: string[] = [];
    for await (const { status } of watch) {
      seen.push(status);
      if (seen.length === 1) void bundle.server[Symbol.asyncDispose]();
    }
    assert.deepEqual(seen, ["SERVING", "NOT_SERVING"]);
    client.close();
  });

  it("happens once, however often it is asked for", async () => {
    await using bundle = await setup();
    await Promise.all([bundle.server[Symbol.asyncDispose](), bundle.server[Symbol.asyncDispose]()]);
  });
});
