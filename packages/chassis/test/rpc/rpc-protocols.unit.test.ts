import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { BadRequestSchema, ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";
import { OrderSchema } from "@settle/gen/orders/v1/order_pb";
import { GetOrderRequestSchema } from "@settle/gen/orders/v1/orders_service_pb";
import { refuse } from "../../src/contract/errors.ts";
import { requestIdKey } from "../../src/rpc/active-call.ts";
import { orderId, orderRequest, protocols, setup, signal } from "./rpc-setup.ts";

const refusalOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => assert.fail("the call was answered"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConnectError, String(error));
  const [info] = error.findDetails(ErrorInfoSchema);
  const [fields] = error.findDetails(BadRequestSchema);
  return { error, code: error.code, message: error.rawMessage, info, fields };
};

for (const protocol of protocols) {
  describe(`a call by ${protocol}`, () => {
    it("reaches the handler and brings its answer back", async () => {
      await using bundle = await setup();
      const order = await bundle.orders(protocol).createOrder(orderRequest);
      assert.equal(order.id, orderId);
      assert.equal(order.amount?.minorUnits, 250n);
      assert.equal(order.description, "two tickets");
      assert.deepEqual(bundle.logs, []);
    });

    it("carries headers both ways", async () => {
      await using bundle = await setup({
        orders: {
          getOrder(request, context) {
            context.responseHeader.set("idempotency-replayed", "true");
            return { id: request.orderId, userId: context.requestHeader.get("x-user") ?? "" };
          },
        },
      });
      let headers = new Headers();
      const order = await bundle
        .orders(protocol)
        .getOrder(
          { userId: "alice", orderId },
          { headers: { "x-user": "bob" }, onHeader: (given) => (headers = given) },
        );
      assert.equal(order.userId, "bob");
      assert.equal(headers.get("idempotency-replayed"), "true");
    });

    it("answers with the caller's request id, or makes one", async () => {
      const ids: string[] = [];
      await using bundle = await setup({
        orders: {
          listOrders(_request, context) {
            ids.push(context.values.get(requestIdKey));
            return {};
          },
        },
      });
      const answered: (string | null)[] = [];
      const onHeader = (given: Headers) => answered.push(given.get("x-request-id"));
      const client = bundle.orders(protocol);
      await client.listOrders(
        { userId: "alice" },
        { onHeader, headers: { "x-request-id": "r-1" } },
      );
      await client.listOrders({ userId: "alice" }, { onHeader });
      await client.listOrders(
        { userId: "alice" },
        { onHeader, headers: { "x-request-id": "a b" } },
      );
      assert.deepEqual(answered, ids);
      assert.equal(ids[0], "r-1");
      assert.match(ids[1] ?? "", /^[0-9a-f-]{36}$/);
      assert.match(ids[2] ?? "", /^[0-9a-f-]{36}$/);
    });

    it("shows a refusal with its details", async () => {
      await using bundle = await setup({
        orders: {
          getOrder() {
            throw refuse(Code.NotFound, ErrorReason.ORDER_NOT_FOUND, "no such order", {
              metadata: { orderId },
            });
          },
        },
      });
      const call = bundle.orders(protocol).getOrder({ userId: "alice", orderId });
      const { code, message, info } = await refusalOf(call);
      assert.equal(code, Code.NotFound);
      assert.equal(message, "no such order");
      assert.equal(info?.reason, "ORDER_NOT_FOUND");
      assert.equal(info?.domain, "orders.settle");
      assert.deepEqual(info?.metadata, { orderId });
      assert.equal(bundle.logs.length, 1);
      assert.equal(bundle.logs[0]?.code, "NotFound");
      assert.equal(bundle.logs[0]?.rpc, "orders.v1.OrdersService/GetOrder");
    });

    it("names every field that breaks a rule", async () => {
      await using bundle = await setup();
      const call = bundle.orders(protocol).getOrder({ userId: "/", orderId: "x" });
      const { code, message, info, fields } = await refusalOf(call);
      assert.equal(code, Code.InvalidArgument);
      assert.equal(info?.reason, "VALIDATION_FAILED");
      assert.deepEqual(
        fields?.fieldViolations.map(({ field }) => field),
        ["userId", "orderId"],
      );
      assert.match(message, /userId: .+; orderId: .+/);
    });

    it("shows only the request id of an unknown error, and logs all of it", async () => {
      await using bundle = await setup({
        orders: {
          getOrder: () => Promise.reject(new Error("postgres://orders:secret@db/orders")),
          listOrders: () => {
            throw new ConnectError("SELECT secret", Code.NotFound);
          },
        },
      });
      const client = bundle.orders(protocol);
      const headers = { "x-request-id": "r-7" };
      for (const call of [
        client.getOrder({ userId: "alice", orderId }, { headers }),
        client.listOrders({ userId: "alice" }, { headers }),
      ]) {
        const { error, code, message, info } = await refusalOf(call);
        assert.equal(code, Code.Internal);
        assert.equal(info?.reason, "INTERNAL");
        assert.equal(message, "internal error; the request id is r-7");
        assert.ok(!JSON.stringify([error, [...error.metadata]]).includes("secret"));
      }
      assert.deepEqual(
        bundle.logs.map((line) => [line.level, line.requestId]),
        [
          [50, "r-7"],
          [50, "r-7"],
        ],
      );
      assert.match(JSON.stringify(bundle.logs[0]), /postgres:.+rpc-protocols\.unit\.test/);
    });

    it("ends at its deadline although the handler goes on", async () => {
      const aborted = signal<unknown>();
      await using bundle = await setup({
        limits: { maxDeadlineMs: 30 },
        orders: {
          getOrder(_request, context) {
            context.signal.addEventListener("abort", () => aborted.resolve(context.signal.reason));
            return new Promise(() => {});
          },
        },
      });
      const call = bundle.orders(protocol).getOrder({ userId: "alice", orderId });
      const { code, info } = await refusalOf(call);
      assert.equal(code, Code.DeadlineExceeded);
      assert.equal(info?.reason, "DEADLINE_EXCEEDED");
      assert.ok((await aborted.promise) instanceof ConnectError);
    });

    it("gives the handler the deadline of its caller", async () => {
      const given: (number | undefined)[] = [];
      await using bundle = await setup({
        orders: {
          listOrders(_request, context) {
            given.push(context.timeoutMs());
            return {};
          },
        },
      });
      const client = bundle.orders(protocol);
      for (const timeoutMs of [5_000, 60_000, undefined]) {
        await client.listOrders({ userId: "alice" }, timeoutMs ? { timeoutMs } : {});
      }
      const [short = 0, long = 0, none = 0] = given;
      assert.ok(short > 3_000 && short <= 5_000, String(short));
      assert.ok(long > 13_000 && long <= 15_000, String(long));
      assert.ok(none > 13_000 && none <= 15_000, String(none));
    });

    it("aborts the handler's signal when its caller gives up", async () => {
      const started = signal();
      const aborted = signal<unknown>();
      await using bundle = await setup({
        orders: {
          getOrder(_request, context) {
            context.signal.addEventListener("abort", () => aborted.resolve(context.signal.reason));
            started.resolve();
            return new Promise(() => {});
          },
        },
      });
      const caller = new AbortController();
      const call = bundle
        .orders(protocol)
        .getOrder({ userId: "alice", orderId }, { signal: caller.signal });
      await started.promise;
      caller.abort();
      await assert.rejects(call);
      assert.ok((await aborted.promise) instanceof ConnectError);
    });
  });
}

describe("a call by a grpc-js client", () => {
  const call = async (port: number, request: Uint8Array, method = "GetOrder") => {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const bytes = (buffer: Buffer) => buffer;
    try {
      return await new Promise<{ error: ServiceError | null; answer: Buffer | undefined }>(
        (resolve) => {
          client.makeUnaryRequest(
            `/orders.v1.OrdersService/${method}`,
            bytes,
            bytes,
            Buffer.from(request),
            new Metadata(),
            (error, answer) => resolve({ error, answer }),
          );
        },
      );
    } finally {
      client.close();
    }
  };
  const request = (userId: string) =>
    toBinary(GetOrderRequestSchema, create(GetOrderRequestSchema, { userId, orderId }));

  it("is answered", async () => {
    await using bundle = await setup();
    const { error, answer } = await call(bundle.port, request("alice"));
    assert.equal(error, null);
    assert.equal(fromBinary(OrderSchema, answer ?? Buffer.of()).userId, "alice");
  });

  it("is refused with grpc-status-details-bin and the request id", async () => {
    await using bundle = await setup();
    const { error } = await call(bundle.port, request("/"));
    const [details] = error?.metadata.get("grpc-status-details-bin") ?? [];
    const status = fromBinary(StatusSchema, details as Buffer);
    assert.equal(status.code, Code.InvalidArgument);
    assert.equal(status.message, error?.details);
    assert.deepEqual(
      status.details.map(({ typeUrl }) => typeUrl),
      ["type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.BadRequest"],
    );
    assert.match(String(error?.metadata.get("x-request-id")[0]), /^[0-9a-f-]{36}$/);
  });

  it("is told that a method does not exist", async () => {
    await using bundle = await setup();
    const { error } = await call(bundle.port, request("alice"), "Nonsense");
    assert.equal(error?.code, Code.Unimplemented);
  });
});
