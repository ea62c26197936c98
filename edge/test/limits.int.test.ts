import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { ListOrdersRequestSchema, OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { assertEdgeError, assertEdgeFailure } from "./edge-errors.ts";
import { startLab } from "./lab.ts";
import { busyUser, orderIds } from "./upstream.ts";

const account = "/gateway/payments/accounts/alice";
const tooMany = "Too many requests. Try again later.";
const limited = { status: 429, code: 8, reason: "RATE_LIMITED", message: tooMany };

describe("the edge's limits", () => {
  it("apply the rate per address to that address alone", async () => {
    await using lab = await startLab({ settings: { requestsPerSecondPerAddress: 1 } });
    const ask = (from: string) => lab.ask("GET", account, { from });
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask("127.0.0.2")));
    const refused = answers.filter(({ status }) => status !== 200);
    // Some of the others arrive after a second, when the bucket is full again.
    assert.ok(refused.length >= 6, `${refused.length} of 12`);
    for (const answer of refused) {
      assertEdgeError(answer, limited);
      assert.equal(answer.headers["retry-after"], "1");
    }
    assert.equal((await ask("127.0.0.3")).status, 200);
    assert.equal((await lab.ask("GET", "/healthz", { from: "127.0.0.2" })).status, 200);
  });

  it("apply the rate per user from any address, and not to another user at the same one", async () => {
    await using lab = await startLab({ settings: { requestsPerSecondPerUser: 1 } });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => lab.ask("GET", account, { from: `127.0.0.${n + 1}` })),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    assert.ok(refused.length >= 6, `${refused.length} of 12`);
    for (const answer of refused) {
      assertEdgeError(answer, limited);
      assert.equal(answer.headers["retry-after"], "1");
    }
    const others = ["bob", "carol", "dave"].map(async (as) => {
      const { status } = await lab.ask("GET", `/gateway/payments/accounts/${as}`, { as });
      assert.equal(status, 200, as);
    });
    await Promise.all(others);
    // Requests without a user and public paths have no bucket.
    const anonymous = Array.from({ length: 6 }, () => lab.ask("GET", account, { as: null }));
    for (const { status } of await Promise.all(anonymous)) assert.equal(status, 401);
    const open = Array.from({ length: 6 }, () => lab.ask("GET", "/swagger/x", { as: null }));
    for (const { status } of await Promise.all(open)) assert.equal(status, 404);
  });

  it("apply the overall rate to all addresses together", async () => {
    await using lab = await startLab({ settings: { requestsPerSecond: 1 } });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => lab.ask("GET", account, { from: `127.0.0.${n + 1}` })),
    );
    assert.ok(answers.filter(({ status }) => status === 429).length >= 6);
  });

  it("are reported to gRPC, gRPC-Web and Connect in the form of the protocol", async () => {
    for (const settings of [{ requestsPerSecond: 1 }, { requestsPerSecondPerUser: 1 }]) {
      await using lab = await startLab({ settings });
      for (const transport of [
        createGrpcTransport(lab.target),
        createGrpcWebTransport({ ...lab.target, httpVersion: "1.1" }),
        createConnectTransport({ ...lab.target, httpVersion: "1.1" }),
      ]) {
        const payments = createClient(PaymentsService, transport);
        const calls = Array.from({ length: 6 }, () => payments.getAccount({ userId: "alice" }));
        const outcomes = await Promise.allSettled(calls);
        const errors = outcomes.flatMap((one) =>
          one.status === "rejected" ? [ConnectError.from(one.reason)] : [],
        );
        assert.ok(errors.length >= 3);
        for (const error of errors) {
          const code = Code.ResourceExhausted;
          assertEdgeFailure(error, { code, reason: "RATE_LIMITED", message: tooMany });
          assert.equal(error.metadata.get("retry-after"), "1");
        }
      }
    }
  });

  it("of a service are reported with the time to try again, by every protocol", async () => {
    await using lab = await startLab();
    const busy = `/gateway/orders/${busyUser}`;
    for (const path of [`${busy}/${orderIds.known}`, `${busy}:watch`]) {
      const answer = await lab.ask("GET", path, { as: busyUser });
      assert.equal(answer.status, 429, path);
      assert.equal(answer.headers["retry-after"], "1", path);
    }
    const headers = { authorization: `Bearer ${await lab.issuer.key.sign({ sub: busyUser })}` };
    for (const transport of [
      createGrpcTransport({ ...lab.target, interceptors: [] }),
      createGrpcWebTransport({ ...lab.target, httpVersion: "1.1", interceptors: [] }),
      createConnectTransport({ ...lab.target, httpVersion: "1.1", interceptors: [] }),
    ]) {
      const orders = createClient(OrdersService, transport);
      const asked = { userId: busyUser, orderId: orderIds.known };
      const error = await orders.getOrder(asked, { headers }).then(
        () => assert.fail("it was answered"),
        (thrown) => ConnectError.from(thrown),
      );
      assert.equal(error.code, Code.ResourceExhausted);
      assert.equal(error.metadata.get("retry-after"), "1");
    }
  });

  it("end a request whose headers or body never arrive", async () => {
    await using lab = await startLab({
      changes: {
        "request_headers_timeout: 5s": "request_headers_timeout: 0.2s",
        "request_timeout: 20s": "request_timeout: 0.4s",
      },
    });
    const message = "The request was not received in time.";
    const expected = { status: 408, code: 4, reason: "DEADLINE_EXCEEDED", message };
    assertEdgeError(await lab.sendRaw("GET /gateway/orders/a HTTP/1.1\r\nHost:"), expected);
    const head = `POST /gateway/orders HTTP/1.1\r\nHost: a\r\nAuthorization: ${lab.authorization}\r\n`;
    assertEdgeError(await lab.sendRaw(`${head}Content-Length: 10\r\n\r\n{`), expected);
  });

  it("close connections above the maximum at once, and serve the existing ones", async () => {
    await using lab = await startLab({ settings: { connections: 2 } });
    const sockets = Array.from({ length: 5 }, () => connect(lab.port, "127.0.0.1"));
    try {
      await new Promise<void>((resolve) => {
        let closed = 0;
        for (const socket of sockets) {
          socket.on("error", () => {});
          socket.on("close", () => {
            closed += 1;
            if (closed === 3) resolve();
          });
          // Without reading, the end of a connection would not be noticed.
          socket.resume();
        }
      });
      const kept = sockets.find((socket) => !socket.destroyed);
      kept?.write(
        `GET ${account} HTTP/1.1\r\nHost: a\r\nAuthorization: ${lab.authorization}\r\n\r\n`,
      );
      const [answer] = await once(kept ?? assert.fail("all were closed"), "data");
      assert.match(String(answer), /^HTTP\/1\.1 200 /);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  it("keep a client that does not read its response from blocking the others", async () => {
    await using lab = await startLab();
    const asked = create(ListOrdersRequestSchema, { userId: "alice", pageSize: 1_000 });
    const message = toBinary(ListOrdersRequestSchema, asked);
    const envelope = Buffer.alloc(5);
    envelope.writeUInt32BE(message.length, 1);
    const sessions = Array.from({ length: 8 }, () => connectHttp2(lab.url));
    try {
      for (const session of sessions) {
        const call = session.request({
          ":method": "POST",
          ":path": "/orders.v1.OrdersService/ListOrders",
          "content-type": "application/grpc",
          te: "trailers",
          authorization: lab.authorization,
        });
        call.pause();
        call.end(Buffer.concat([envelope, message]));
        await once(call, "response");
      }
      assert.equal((await lab.ask("GET", "/gateway/orders/alice")).status, 200);
    } finally {
      for (const session of sessions) session.destroy();
    }
  });

  it("reject requests once its memory is used up", async () => {
    await using lab = await startLab({
      changes: { "max_heap_size_bytes: 536870912": "max_heap_size_bytes: 1000000" },
    });
    const answer = await lab.askUntil(503, account);
    const message = "The service is not responding. Try again later.";
    assertEdgeError(answer, { status: 503, code: 14, reason: "SERVICE_UNREACHABLE", message });
    const names = Object.keys(answer.headers).filter((name) => name.startsWith("x-envoy"));
    assert.deepEqual(names, []);
  });
});
