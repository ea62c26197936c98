import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Code, ConnectError } from "@connectrpc/connect";
import { credentials } from "@grpc/grpc-js";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { grpc } from "@settle/sdk/node";
import { setup } from "../../chassis/test/rpc/rpc-setup.ts";
import { orderId } from "./sdk-setup.ts";

const { getOrder, watchOrders } = OrdersService.method;
const userId = "alice";

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

describe("the gRPC transport", () => {
  it("sends and receives headers and trailers, including binary ones", async () => {
    await using server = await setup({
      orders: {
        getOrder({ orderId: id }, { requestHeader, responseHeader, responseTrailer }) {
          responseHeader.set("x-echo", requestHeader.get("x-text") ?? "");
          responseHeader.set("x-echo-bin", requestHeader.get("x-data-bin") ?? "");
          responseTrailer.set("x-end", "the end");
          return { id };
        },
      },
    });
    const transport = grpc()(server.baseUrl);
    const headers = { "x-text": "text", "x-data-bin": "AAEC" };
    const request = { userId, orderId };
    const answer = await transport.unary(getOrder, undefined, undefined, headers, request);
    assert.equal(answer.message.id, orderId);
    assert.equal(answer.header.get("x-echo"), "text");
    assert.equal(answer.header.get("x-echo-bin"), "AAEC");
    assert.equal(answer.trailer.get("x-end"), "the end");
    transport[Symbol.dispose]?.();
  });

  it("leaves no listeners on a signal after its calls", async () => {
    await using server = await setup({
      orders: {
        async *watchOrders() {
          yield { revision: 1n, event: { case: "heartbeat", value: {} } };
        },
      },
    });
    const transport = grpc()(server.baseUrl);
    const { signal } = new AbortController();
    const get = (user: string) =>
      transport.unary(getOrder, signal, 1_000, undefined, { userId: user, orderId });
    const watch = (user: string) =>
      transport.stream(watchOrders, signal, 1_000, undefined, once({ userId: user }));
    await get(userId);
    await assert.rejects(get(""), ConnectError);
    assert.equal((await Array.fromAsync((await watch(userId)).message)).length, 1);
    for await (const _ of (await watch(userId)).message) break;
    await assert.rejects(async () => {
      for await (const _ of (await watch("")).message);
    }, ConnectError);
    assert.deepEqual(getEventListeners(signal, "abort"), []);
    transport[Symbol.dispose]?.();
  });

  it("calls by a target of grpc-js, with its credentials and channel options", async () => {
    await using server = await setup();
    const by = grpc({
      target: `ipv4:127.0.0.1:${server.port}`,
      credentials: credentials.createInsecure(),
      channel: { "grpc.max_receive_message_length": 10 },
    });
    const transport = by("https://orders.internal");
    const request = { userId, orderId };
    await assert.rejects(
      transport.unary(getOrder, undefined, 1_000, undefined, request),
      (error) => error instanceof ConnectError && error.code === Code.ResourceExhausted,
    );
    transport[Symbol.dispose]?.();
  });

  it("rejects an address that gRPC cannot use", () => {
    assert.throws(() => grpc()("http://localhost:8000/api"), /must not have a path/);
    assert.throws(() => grpc()("ftp://localhost"), /must be http: or https:/);
    assert.throws(() => grpc()("localhost"), TypeError);
  });
});
