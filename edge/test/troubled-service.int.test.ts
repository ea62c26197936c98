import assert from "node:assert/strict";
import { createServer } from "node:net";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { eventually } from "@settle/chassis/testing";
import { ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { assertEdgeError } from "./edge-errors.ts";
import { type Answer, type Lab, startLab } from "./lab.ts";
import { orderIds } from "./upstream.ts";

const inTime = { status: 504, code: 4, reason: "DEADLINE_EXCEEDED" };
const unreachable = { status: 503, code: 14, reason: "SERVICE_UNREACHABLE" };
const noAnswer = "The service is not responding. Try again later.";
const lateAnswer = "The service did not respond in time.";

describe("in front of a failing service, the edge", () => {
  let lab: Lab;
  beforeEach(async () => {
    // In production this takes 17 s.
    const changes = {
      "&unaryTimeout 17s": "&unaryTimeout 0.3s",
      "&serviceDeadlineMs 15000": "&serviceDeadlineMs 290",
    };
    lab = await startLab({ changes });
  });
  afterEach(() => lab[Symbol.asyncDispose]());

  const protocols: Record<string, () => Transport> = {
    gRPC: () => createGrpcTransport(lab.target),
    "gRPC-Web": () => createGrpcWebTransport({ ...lab.target, httpVersion: "1.1" }),
    Connect: () => createConnectTransport({ ...lab.target, httpVersion: "1.1" }),
  };
  const failures = async (orderId: string) => {
    const codes: Record<string, string> = {};
    for (const [name, createTransport] of Object.entries(protocols)) {
      const orders = createClient(OrdersService, createTransport());
      const error = await orders.getOrder({ userId: "alice", orderId }).then(
        () => assert.fail("the call succeeded"),
        (reason: unknown) => ConnectError.from(reason),
      );
      const [info] = error.findDetails(ErrorInfoSchema);
      codes[name] = `${Code[error.code]}: ${error.rawMessage} (${info?.reason} of ${info?.domain})`;
    }
    return codes;
  };
  const each = (failure: string) => ({ gRPC: failure, "gRPC-Web": failure, Connect: failure });

  it("reports a service that is down as unavailable, and passes calls on to the other", async () => {
    await lab.orders.stop();
    const answer = await lab.ask("GET", `/gateway/orders/alice/${orderIds.known}`);
    assertEdgeError(answer, { ...unreachable, message: noAnswer });
    assert.deepEqual(
      await failures(orderIds.known),
      each(`Unavailable: ${noAnswer} (SERVICE_UNREACHABLE of edge.settle)`),
    );
    assert.equal((await lab.ask("GET", "/gateway/payments/accounts/alice")).status, 200);
  });

  it("reports a deadline for a service that is too slow", async () => {
    const answer = await lab.ask("GET", `/gateway/orders/alice/${orderIds.slow}`);
    assertEdgeError(answer, { ...inTime, message: lateAnswer });
    assert.deepEqual(
      await failures(orderIds.slow),
      each(`DeadlineExceeded: ${lateAnswer} (DEADLINE_EXCEEDED of edge.settle)`),
    );
  });

  it("logs its own failures, and not the deadline of a caller", async () => {
    const slow = `/gateway/orders/alice/${orderIds.slow}`;
    const headers = { "grpc-timeout": "1m" };
    const own = await lab.ask("GET", slow, { headers });
    assert.equal(own.status, 504, own.body);
    for (const createTransport of Object.values(protocols)) {
      const orders = createClient(OrdersService, createTransport());
      const asked = { userId: "alice", orderId: orderIds.slow };
      await assert.rejects(orders.getOrder(asked, { timeoutMs: 50 }));
    }
    const late = await lab.ask("GET", slow);
    assert.equal(late.status, 504);
    await lab.orders.stop();
    const failed = await lab.ask("GET", slow);
    assert.equal(failed.status, 503);
    const idOf = (answer: Answer) => String(answer.headers["x-request-id"]);
    const logged = await eventually("the last failure is logged", async () => {
      const log = await lab.readLog();
      const lines = log.split("\n").filter((line) => line.startsWith("{"));
      const ids = lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId);
      return ids.includes(idOf(failed)) ? ids : undefined;
    });
    assert.deepEqual(logged, [idOf(late), idOf(failed)]);
  });

  it("reports a service that drops its connections as unavailable", async () => {
    await lab.orders.stop();
    const server = createServer((socket) => socket.resetAndDestroy());
    await new Promise<void>((resolve) => server.listen(lab.orders.port, "127.0.0.1", resolve));
    try {
      const answer = await lab.ask("GET", `/gateway/orders/alice/${orderIds.known}`);
      assertEdgeError(answer, { ...unreachable, message: noAnswer });
      assert.deepEqual(
        await failures(orderIds.known),
        each(`Unavailable: ${noAnswer} (SERVICE_UNREACHABLE of edge.settle)`),
      );
    } finally {
      server.close();
    }
  });

  it("shows the failure of either service in /healthz, and soon its recovery", async () => {
    const up = { status: "SERVING" };
    const down = { status: "NOT_SERVING" };
    assert.deepEqual((await lab.askUntil(200, "/healthz")).json(), up);
    for (const service of [lab.orders, lab.payments]) {
      await service.stop();
      assert.deepEqual((await lab.askUntil(503, "/healthz")).json(), down);
      await service.start();
      const startedAt = performance.now();
      assert.deepEqual((await lab.askUntil(200, "/healthz")).json(), up);
      // Half a second on an idle machine; a minute without `no_traffic_interval`.
      assert.ok(performance.now() - startedAt < 5_000);
    }
  });

  it("serves a service that starts later, at once", async () => {
    await lab.orders.stop();
    await lab.askUntil(503, "/healthz");
    await lab.orders.start();
    const answer = await lab.ask("GET", `/gateway/orders/alice/${orderIds.known}`);
    assert.equal(answer.status, 200, answer.body);
  });
});
