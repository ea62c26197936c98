import assert from "node:assert/strict";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetOrderRequestSchema } from "@settle/gen/orders/v1/orders_service_pb";
import { pino } from "pino";
import type { Principal } from "../../src/identity/principal.ts";
import type { TokenVerifier } from "../../src/identity/token-verifier.ts";
import { createUntakenAnswers } from "../../src/rpc/untaken-answers.ts";
import { eventually } from "../../src/testing.ts";
import { envelope, path } from "./rpc-raw.ts";
import { dial, type Orders, orderId, setup, signal } from "./rpc-setup.ts";

const log = pino({ level: "silent" });
const hourMs = 3_600_000;

const principalOf = (userId: string): Principal => ({
  userId,
  scopes: new Set(),
  expireTimeMs: Date.now() + hourMs,
});
/** Lets in whom the header names. */
const byName: TokenVerifier = { verify: (name) => principalOf(name ?? "") };

describe("untaken answers", () => {
  const counting = (maxBytes: number, maxStallMs = hourMs) => {
    const spent: (readonly [userId: string, bytes: number])[] = [];
    const pace = { spend: (...one: (typeof spent)[number]) => void spent.push(one) };
    const untaken = createUntakenAnswers({ maxBytes, maxStallMs, pace, log });
    const dropped: string[] = [];
    const open = (userId: string, name: string) => {
      const answer = untaken.open(() => dropped.push(name));
      answer.userId = userId;
      return answer;
    };
    return { untaken, dropped, spent, open, [Symbol.dispose]: () => untaken[Symbol.dispose]() };
  };

  it("count for the pace of their user, if there is one", () => {
    using bundle = counting(100);
    const { spent, open } = bundle;
    const answer = open("bob", "bob 1");
    answer.wrote(30);
    answer.took(30);
    answer.passed(200);
    open("", "anonymous").wrote(30);
    assert.deepEqual(spent, [
      ["bob", 30],
      ["bob", 200],
    ]);
  });

  it("drop the oldest of the heaviest user, and not the oldest of all", () => {
    using bundle = counting(100);
    const { untaken, dropped, open } = bundle;
    open("bob", "bob 1").wrote(30);
    const first = open("alice", "alice 1");
    first.wrote(30);
    open("alice", "alice 2").wrote(40);
    assert.deepEqual([untaken.bytes, dropped], [100, []]);
    open("carol", "carol 1").wrote(1);
    assert.deepEqual([untaken.bytes, dropped], [71, ["alice 1"]]);
    first.took(30);
    first[Symbol.dispose]();
    assert.equal(untaken.bytes, 71);
    open("dave", "dave 1").wrote(90);
    assert.deepEqual([untaken.bytes, dropped], [71, ["alice 1", "dave 1"]]);
  });

  it("count what is written until it is taken or forgotten", () => {
    using bundle = counting(100);
    const { untaken, dropped, open } = bundle;
    const [one, two] = [open("alice", "1"), open("alice", "2")];
    for (let round = 0; round < 10; round += 1) {
      one.wrote(60);
      one.took(60);
    }
    one.wrote(50);
    two.wrote(50);
    one[Symbol.dispose]();
    two.took(20);
    assert.deepEqual([untaken.bytes, one.bytes, two.bytes, dropped], [30, 0, 30, []]);
  });

  it("are dropped if nothing of them is taken for too long", async () => {
    using bundle = counting(100, 5);
    const { untaken, dropped, open } = bundle;
    open("alice", "stalled").wrote(10);
    await eventually("it is dropped", () => dropped[0]);
    assert.deepEqual([untaken.bytes, dropped], [0, ["stalled"]]);
  });
});

describe("answers that nobody takes", () => {
  /** Every order has a description of this many bytes. */
  const orderOf = (length: number): Partial<Orders> => ({
    getOrder: () => ({ description: "x".repeat(length) }),
  });
  const setupFor = (orders: Partial<Orders>, maxUntakenBytes: number, verifier = byName) =>
    setup({ orders, verifier, limits: { maxUntakenBytes, readBytesPerSecond: 2 ** 30 } });

  const bodyOf = (userId: string) =>
    toBinary(GetOrderRequestSchema, create(GetOrderRequestSchema, { userId, orderId }));
  /** Calls by gRPC and does not read the answer. */
  const call = (session: ClientHttp2Session, userId: string): ClientHttp2Stream => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: userId,
    });
    stream.on("error", () => {});
    stream.end(envelope(bodyOf(userId)));
    return stream;
  };
  const read = async (stream: ClientHttp2Stream) => {
    const trailers = new Promise<unknown>((resolve) => {
      stream.once("trailers", (given) => resolve(given["grpc-status"]));
      stream.once("close", () => resolve(stream.rstCode));
    });
    let bytes = 0;
    for await (const chunk of stream) bytes += chunk.length;
    return { bytes, status: await trailers };
  };

  it("by gRPC cost their own user an answer, and nobody else on the connection", async () => {
    const length = 300_000;
    const maxBytes = 1_500_000;
    await using bundle = await setupFor(orderOf(length), maxBytes);
    const session = connect(bundle.baseUrl);
    session.setMaxListeners(0);
    await new Promise((resolve) => session.once("connect", resolve));
    session.setLocalWindowSize(2 ** 30);

    const patient = call(session, "carol");
    await new Promise((resolve) => patient.once("response", resolve));
    const stalled = Array.from({ length: 200 }, () => call(session, "alice"));
    const reset = () => stalled.filter(({ rstCode }) => rstCode !== 0);
    await eventually("most are reset", () => reset().length > 190 || undefined);
    assert.ok(bundle.server.untakenBytes > 0);
    assert.ok(bundle.server.untakenBytes <= maxBytes, `${bundle.server.untakenBytes}`);
    for (const { rstCode } of reset()) {
      assert.equal(rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }

    const expected = { bytes: length + 9, status: "0" };
    assert.deepEqual(await read(call(session, "bob")), expected);
    assert.deepEqual(await read(patient), expected);
    session.destroy();
    await eventually("nothing waits", () => bundle.server.untakenBytes === 0 || undefined);
  });

  it("by Connect cost their own user a connection, and nobody else", async () => {
    const length = 7_000_000;
    const maxBytes = 16_000_000;
    await using bundle = await setupFor(orderOf(length), maxBytes);
    const post = async (userId: string) => {
      const socket = await dial(bundle.port);
      const head = `host: x\r\nauthorization: ${userId}\r\ncontent-type: application/proto`;
      const body = bodyOf(userId);
      socket.write(`POST ${path} HTTP/1.1\r\n${head}\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.write(body);
      return socket;
    };
    const sockets: Socket[] = [];
    const patient = await post("carol");
    for (let count = 0; count < 10; count += 1) sockets.push(await post("alice"));
    const closed = sockets.map((socket) => new Promise((resolve) => socket.on("close", resolve)));
    for (const socket of sockets) socket.on("error", () => {});
    // Only what the kernel does not take counts.
    await eventually("answers wait", () => bundle.server.untakenBytes > 0 || undefined);
    assert.ok(bundle.server.untakenBytes <= maxBytes);

    const { length: read } = Buffer.from(
      await (
        await fetch(bundle.baseUrl + path, {
          method: "POST",
          headers: { authorization: "bob", "content-type": "application/proto" },
          body: bodyOf("bob"),
        })
      ).arrayBuffer(),
    );
    assert.equal(read, length + 5);
    for (const socket of sockets) socket.resume();
    await Promise.race(closed);
    patient.destroy();
    for (const socket of sockets) socket.destroy();
    await eventually("nothing waits", () => bundle.server.untakenBytes === 0 || undefined);
  });

  it("hold no more connections of a user than are permitted, until they have been taken", async () => {
    await using bundle = await setup({
      orders: orderOf(7_000_000),
      verifier: byName,
      limits: {
        maxConnectCallsPerUser: 2,
        maxUntakenBytes: 64_000_000,
        readBytesPerSecond: 2 ** 30,
      },
    });
    const call = (userId: string) =>
      fetch(bundle.baseUrl + path, {
        method: "POST",
        headers: { authorization: userId, "content-type": "application/proto" },
        body: bodyOf(userId),
      });
    const open = [await call("alice"), await call("alice")];
    const refused = await call("alice");
    assert.equal(refused.status, 429);
    assert.match(await refused.text(), /too many calls of this user are open/);
    const [first] = open;
    assert.equal((await first?.arrayBuffer())?.byteLength, 7_000_005);
    await eventually("a place is free", async () => {
      const again = await call("alice");
      await again.arrayBuffer();
      return again.status === 200 || undefined;
    });
    const other = await call("bob");
    assert.equal((await other.arrayBuffer()).byteLength, 7_000_005);
    await open[1]?.body?.cancel();
  });

  it("are not made for a call that was reset before it began", async () => {
    const verifying = signal();
    const verified = signal<Principal>();
    const begun: string[] = [];
    const orders: Partial<Orders> = {
      getOrder: ({ userId }) => {
        begun.push(userId);
        return {};
      },
    };
    const slow: TokenVerifier = {
      verify(name) {
        if (name !== "alice") return principalOf(name ?? "");
        verifying.resolve();
        return verified.promise;
      },
    };
    await using bundle = await setupFor(orders, 1_000, slow);
    const session = connect(bundle.baseUrl);
    const cancelled = call(session, "alice");
    await verifying.promise;
    cancelled.close(constants.NGHTTP2_CANCEL);
    // A connection is read in order.
    await read(call(session, "bob"));
    verified.resolve(principalOf("alice"));
    await read(call(session, "bob"));
    assert.deepEqual(begun, ["bob", "bob"]);
    session.destroy();
  });
});
