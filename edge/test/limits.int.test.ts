import assert from "node:assert/strict";
import { once } from "node:events";
import type { OutgoingHttpHeaders } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from "node:http2";
import { connect, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { eventually } from "@settle/chassis/testing";
import { ListOrdersRequestSchema, OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { assertEdgeError, assertEdgeFailure } from "./edge-errors.ts";
import { type Lab, startLab } from "./lab.ts";
import { busyUser, largePage, orderIds } from "./upstream.ts";

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

  it("follow the address that a trusted proxy names, and an IPv6 network as one", async () => {
    await using lab = await startLab({
      settings: { trustedHops: 1, requestsPerSecondPerAddress: 1 },
    });
    /** Whether some of these requests are refused, each with one of the addresses. */
    const isLimited = async (...addresses: string[]) => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, n) => {
          const forwarded = addresses[n % addresses.length] ?? "";
          return lab.ask("GET", account, { headers: { "x-forwarded-for": forwarded } });
        }),
      );
      return answers.filter(({ status }) => status === 429).length >= 6;
    };
    assert.equal(await isLimited("192.0.2.1"), true);
    assert.equal(
      await isLimited(...Array.from({ length: 12 }, (_, n) => `192.0.2.${n + 2}`)),
      false,
    );
    // What the caller itself wrote precedes what the proxy appended.
    const made = Array.from({ length: 12 }, (_, n) => `198.51.100.${n}, 203.0.113.1`);
    assert.equal(await isLimited(...made), true);
    const host = (prefix: string) => Array.from({ length: 12 }, (_, n) => `${prefix}${n + 1}`);
    assert.equal(await isLimited(...host("2001:db8:0:1::")), true);
    const networks = host("2001:db8:0:a").map((network) => `${network}::1`);
    assert.equal(await isLimited(...networks), false);
  });

  it("take no address from a header without a trusted proxy", async () => {
    await using lab = await startLab({ settings: { requestsPerSecondPerAddress: 1 } });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        lab.ask("GET", account, { headers: { "x-forwarded-for": `192.0.2.${n}` } }),
      ),
    );
    assert.ok(answers.filter(({ status }) => status === 429).length >= 6);
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

  it("let only half of a user's requests per second come at once, and fill evenly", async () => {
    await using lab = await startLab({ settings: { requestsPerSecondPerUser: 10 } });
    const startMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => lab.ask("GET", account, { from: `127.0.0.${n + 1}` })),
    );
    const passed = answers.filter(({ status }) => status === 200).length;
    const filled = Math.ceil((performance.now() - startMs) / 100);
    assert.ok(passed >= 5 && passed <= 5 + filled, `${passed} of 12`);
    // Long before a second has passed.
    await eventually("another one passes", async () => {
      const { status } = await lab.ask("GET", account);
      return status === 200 || undefined;
    });
    assert.ok(performance.now() - startMs < 1_000);
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

  it("cap the connections of one address, and leave the others theirs", async () => {
    await using lab = await startLab({ settings: { connectionsPerAddress: 3 } });
    const from = (address: string, count: number) =>
      Array.from({ length: count }, () => openIdle(lab.port, address));
    const isOpen = (socket: Socket) => !socket.destroyed;
    const closed = (sockets: readonly Socket[], count: number) =>
      eventually(`${count} connections are closed`, async () => {
        return sockets.filter((socket) => !isOpen(socket)).length === count || undefined;
      });
    const many = from("127.0.0.2", 8);
    const others = ["127.0.0.3", "127.0.0.4"].flatMap((address) => from(address, 2));
    try {
      await closed(many, 5);
      assert.ok(others.every(isOpen));
      for (const address of ["127.0.0.3", "127.0.0.5"]) {
        assert.equal((await lab.ask("GET", account, { from: address })).status, 200, address);
      }
      // Closed connections no longer count, also those that were never accepted.
      for (const socket of many) socket.destroy();
      await eventually("the address can connect again", async () => {
        const asked = lab.ask("GET", account, { from: "127.0.0.2" });
        return asked.then(
          ({ status }) => status === 200 || undefined,
          () => undefined,
        );
      });
      const again = from("127.0.0.2", 8);
      many.push(...again);
      await closed(again, 5);
    } finally {
      for (const socket of [...many, ...others]) socket.destroy();
    }
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

  it("keep documents and reflection, which need no token, from using up what calls need", async () => {
    await using lab = await startLab({
      changes: {
        "&connectCalls 512": "&connectCalls 2",
        "&streamsPerConnection 256": "&streamsPerConnection 2",
        "&documents 32": "&documents 2",
        "&reflections 64": "&reflections 2",
        "&documentsPerSecondPerAddress 50": "&documentsPerSecondPerAddress 10",
      },
    });
    using session = openHttp2(lab);
    /** Reads nothing, and returns the status of the response, or of gRPC. */
    const statusOf = async (stream: ClientHttp2Stream) => {
      const [{ ":status": status, "grpc-status": code }] = await once(stream, "response");
      return code ?? status;
    };
    const request = (headers: OutgoingHttpHeaders) =>
      session.request(headers).on("error", () => {});
    const documents = Array.from({ length: 6 }, () => request({ ":path": largePage }));
    const statuses: unknown[] = [];
    for (const [n, stream] of documents.entries()) {
      void statusOf(stream).then((status) => (statuses[n] = status));
    }
    // Two are read, two may wait for them, and the others are refused.
    await eventually("two are refused", () => {
      return statuses.filter((status) => status === 503).length >= 2 || undefined;
    });

    const reflect = () => {
      const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
      const grpc = { "content-type": "application/grpc", te: "trailers" };
      return request({ ":method": "POST", ":path": path, ...grpc });
    };
    const reflections = [reflect(), reflect()];
    await eventually("two reflections are under way", async () => {
      return (
        (await lab.readStat("cluster.orders-reflection.upstream_rq_active")) === 2 || undefined
      );
    });
    assert.equal(await statusOf(reflect()), "14");
    for (const transport of [
      createConnectTransport({ ...lab.target, httpVersion: "1.1" }),
      createGrpcTransport(lab.target),
    ]) {
      const orders = createClient(OrdersService, transport);
      await orders.getOrder({ userId: "alice", orderId: orderIds.known });
    }
    const unread = documents.filter((_, n) => statuses[n] === 200);
    assert.ok(unread.length >= 2);
    for (const stream of [...unread, ...reflections]) assert.equal(stream.closed, false);

    for (const stream of documents) stream.close();
    const from = "127.0.0.2";
    const rate = await Promise.all(
      Array.from({ length: 30 }, () => lab.ask("GET", "/swagger/x", { as: null, from })),
    );
    const refused = rate.filter(({ status }) => status === 429);
    assert.ok(refused.length >= 10, `${refused.length} of 30`);
    for (const answer of refused) assert.equal(answer.headers["retry-after"], "1");
    assert.equal((await lab.ask("GET", account, { from })).status, 200);
  });

  it("end a stream, however slowly its caller reads", async () => {
    await using lab = await startLab({
      changes: {
        "&streamDuration 60s": "&streamDuration 0.5s",
        // This also ends it, but only if the edge has not yet received the whole response.
        "&unaryTimeout 17s": "&unaryTimeout 300s",
      },
    });
    await lab.askUntil(200, account);
    using session = openHttp2(lab);
    const { authorization } = lab;
    const watch = session.request({ ":path": "/gateway/orders/alice:watch", authorization });
    await once(watch, "response");
    const document = session.request({ ":path": largePage });
    document.on("error", () => {});
    document.resume();
    await closeOf(document);
    assert.equal(watch.closed, false);
  });

  it("close a connection that mainly cancels, and keep one that cancels some calls", async () => {
    await using lab = await startLab();
    // With an answer, also one that refuses, a cancelled stream would not count.
    await lab.askUntil(200, account);
    using bad = openHttp2(lab);
    using good = openHttp2(lab);
    const order = `/gateway/orders/alice/${orderIds.slow}`;
    const cancel = async (session: ClientHttp2Session, count: number) => {
      for (let n = 0; n < count && !session.closed; n += 1) {
        const stream = session.request({ ":path": order, authorization: lab.authorization });
        stream.on("error", () => {});
        stream.close(constants.NGHTTP2_CANCEL);
        await closeOf(stream);
      }
    };
    await cancel(good, 200);
    const closed = closeOf(bad);
    await cancel(bad, 600);
    await closed;
    const known = `/gateway/orders/alice/${orderIds.known}`;
    const last = good.request({ ":path": known, authorization: lab.authorization });
    const [{ ":status": status }] = await once(last, "response");
    assert.equal(status, 200);
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

/** Opens a connection from this address that sends nothing. */
function openIdle(port: number, from: string): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  socket.on("error", () => {});
  // Without reading, the end of a connection would not be noticed.
  socket.resume();
  return socket;
}

/** Resolves when it has closed, also after an error. */
function closeOf(one: ClientHttp2Session | ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => one.once("close", resolve));
}

/** Opens an HTTP/2 session whose streams receive no body. */
function openHttp2(lab: Lab): ClientHttp2Session & Disposable {
  const session = connectHttp2(lab.url, { settings: { initialWindowSize: 0 } });
  session.on("error", () => {});
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() });
}
