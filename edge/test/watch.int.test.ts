import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:http2";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { refuse } from "@settle/chassis/contract/errors";
import { eventually } from "@settle/chassis/testing";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { assertEdgeError } from "./edge-errors.ts";
import { type Lab, startLab } from "./lab.ts";
import { busyUser, floodRevision, type WatchAnswer } from "./upstream.ts";

const path = "/gateway/orders/alice:watch";

type Event = { readonly revision: string; readonly [name: string]: unknown };

describe("through the edge a watch", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await startLab();
  });
  afterEach(() => lab[Symbol.asyncDispose]());

  const change = (revision: bigint): WatchAnswer => ({
    revision,
    event: { case: "order", value: { userId: "alice", revision, status: OrderStatus.PAID } },
  });
  const watched = (count = 1) =>
    eventually("the watch reaches the service", () => lab.orders.watching === count || undefined);

  describe("by REST", () => {
    it("delivers server-sent events one by one, to the end", async () => {
      const response = await open(lab, path);
      assert.equal(response.statusCode, 200);
      assert.equal(response.headers["content-type"], "text/event-stream");
      assert.equal(response.headers["cache-control"], "no-store");
      assert.equal(response.headers["x-accel-buffering"], "no");
      assert.equal(response.headers["content-length"], undefined);
      assert.match(response.headers["x-request-id"] as string, /^[0-9a-f-]{36}$/);
      const events = eventsOf(response);
      assert.deepEqual(await nextOf(events), { revision: "0", heartbeat: {} });
      await watched();
      for (const revision of [1n, 2n, 9_007_199_254_740_993n]) {
        lab.orders.send(change(revision));
        const event = await nextOf(events);
        assert.equal(event.revision, String(revision));
        assert.equal((event.order as { status: string }).status, "ORDER_STATUS_PAID");
      }
      lab.orders.endWatches();
      assert.equal((await events.next()).done, true);
    });

    it("resumes after a revision", async () => {
      const events = eventsOf(await open(lab, `${path}?afterRevision=17`));
      assert.equal((await nextOf(events)).revision, "17");
    });

    it("is found in any spelling of its path", async () => {
      const paths = ["/gateway/orders/%61lice:watch", "/gateway//orders/x/../alice:watch"];
      for (const other of paths) await nextOf(eventsOf(await open(lab, other)));
    });

    it("works the same over HTTP/2", async () => {
      const session = connect(lab.url);
      const { authorization } = lab;
      const stream = session.request({ ":path": path, authorization });
      const [headers] = await once(stream, "response");
      assert.equal(headers["content-type"], "text/event-stream");
      const events = eventsOf(stream);
      await nextOf(events);
      await watched();
      lab.orders.send(change(1n));
      assert.equal((await nextOf(events)).revision, "1");
      lab.orders.endWatches();
      assert.equal((await events.next()).done, true);
      session.close();
    });

    it("reports in its last event why a service ends it", async () => {
      const events = eventsOf(await open(lab, path));
      await nextOf(events);
      await watched();
      lab.orders.endWatches(refuse(Code.Unavailable, ErrorReason.UNAVAILABLE, "stopping"));
      const { end } = await nextOf(events);
      assert.deepEqual(end, { reason: "ERROR_REASON_UNAVAILABLE", message: "stopping" });
      assert.equal((await events.next()).done, true);
    });

    it("that cannot start fails like any other call", async () => {
      const forbidden = await lab.ask("GET", path, { as: "bob" });
      assert.equal(forbidden.status, 403, forbidden.body);
      const busy = await lab.ask("GET", `/gateway/orders/${busyUser}:watch`, { as: busyUser });
      assert.equal(busy.status, 429, busy.body);
      const invalid = await lab.ask("GET", `${path}?afterRevision=-1`);
      assert.equal(invalid.status, 400, invalid.body);
      const expected = { 403: [7, "PERMISSION_DENIED"], 429: [8, "TOO_MANY_STREAMS"] };
      for (const { status, headers, json } of [forbidden, busy]) {
        assert.equal(headers["content-type"], "application/json");
        const { code, details } = json() as { code: number; details: { reason: string }[] };
        const [wanted, reason] = expected[status as keyof typeof expected];
        assert.equal(code, wanted);
        assert.equal(details[0]?.reason, reason);
      }
      const malformed = { status: 400, code: 3, reason: "MALFORMED_REQUEST", message: /./ };
      assertEdgeError(await lab.ask("GET", `${path}?afterRevision=x`), malformed);
      assertEdgeError(await lab.ask("GET", `${path}?nothing=1`), malformed);
      const unroutable = { status: 404, code: 5, reason: "ROUTE_NOT_FOUND", message: /./ };
      assertEdgeError(await lab.ask("POST", path), unroutable);
      await lab.orders.stop();
      const message = "The service is not responding. Try again later.";
      const unreachable = { status: 503, code: 14, reason: "SERVICE_UNREACHABLE", message };
      assertEdgeError(await lab.ask("GET", path), unreachable);
    });
  });

  const transports: Record<string, () => Transport> = {
    gRPC: () => createGrpcTransport(lab.target),
    "gRPC-Web over HTTP/1.1": () => createGrpcWebTransport({ ...lab.target, httpVersion: "1.1" }),
    "gRPC-Web over HTTP/2": () => createGrpcWebTransport({ ...lab.target, httpVersion: "2" }),
    "Connect over HTTP/1.1": () => createConnectTransport({ ...lab.target, httpVersion: "1.1" }),
    "Connect over HTTP/2": () => createConnectTransport({ ...lab.target, httpVersion: "2" }),
  };
  for (const [name, createTransport] of Object.entries(transports)) {
    describe(`by ${name}`, () => {
      it("delivers messages one by one, to the end", async () => {
        const orders = createClient(OrdersService, createTransport());
        const answers = orders.watchOrders({ userId: "alice" })[Symbol.asyncIterator]();
        assert.equal((await answers.next()).value?.event.case, "heartbeat");
        await watched();
        for (const revision of [1n, 2n]) {
          lab.orders.send(change(revision));
          assert.equal((await answers.next()).value?.revision, revision);
        }
        lab.orders.endWatches();
        assert.equal((await answers.next()).done, true);
      });

      it("reports why a service ends it, in its last message and as its error", async () => {
        const orders = createClient(OrdersService, createTransport());
        const answers = orders.watchOrders({ userId: "alice" })[Symbol.asyncIterator]();
        await answers.next();
        await watched();
        lab.orders.endWatches(refuse(Code.Unavailable, ErrorReason.UNAVAILABLE, "stopping"));
        assert.equal((await answers.next()).value?.event.case, "end");
        const error = await failureOf(answers.next());
        assert.equal(`${Code[error.code]}: ${error.rawMessage}`, "Unavailable: stopping");
      });

      it("that cannot start fails like any other call", async () => {
        const orders = createClient(OrdersService, createTransport());
        const forbidden = await failureOf(
          orders.watchOrders({ userId: "bob" })[Symbol.asyncIterator]().next(),
        );
        assert.equal(forbidden.code, Code.PermissionDenied);
        assert.match(forbidden.rawMessage, /userId must be the user of the token/);
      });
    });
  }

  it("ends at the service when its client goes away", async () => {
    const response = await open(lab, path);
    await nextOf(eventsOf(response));
    await watched();
    response.destroy();
    await eventually("the service knows", () => lab.orders.watching === 0 || undefined);
  });

  it("carries more data than a unary response may", async () => {
    const response = await open(lab, `${path}?afterRevision=${floodRevision}`);
    await readSome(response, 20_000_000);
  });

  it("that is not read slows down its service, but no other watch", async () => {
    // So many would fill the window of a connection with default settings.
    const idle = await Promise.all(
      Array.from({ length: 8 }, () => open(lab, `${path}?afterRevision=${floodRevision}`)),
    );
    let flooded = -1;
    await eventually("the service sends no more", async () => {
      if (flooded === lab.orders.flooded) return true;
      flooded = lab.orders.flooded;
      await pause(500);
      return undefined;
    });
    const events = eventsOf(await open(lab, path));
    await nextOf(events);
    lab.orders.send(change(1n));
    assert.equal((await nextOf(events)).revision, "1");
    // They continue where they stopped; this is more than the buffers on the way hold.
    for (const response of idle) await readSome(response, 8_000_000);
  });
});

describe("the edge's limits for calls", () => {
  it("do not apply to a watch, which may be silent for longer than a heartbeat interval", async () => {
    const changes = {
      "&unaryTimeout 17s": "&unaryTimeout 0.2s",
      "stream_idle_timeout: 30s": "stream_idle_timeout: 0.2s",
      "request_timeout: 20s": "request_timeout: 0.2s",
    };
    await using lab = await startLab({ changes });
    const events = eventsOf(await open(lab, path));
    await nextOf(events);
    const answers = [
      createGrpcTransport(lab.target),
      createGrpcWebTransport({ ...lab.target, httpVersion: "1.1" }),
      createConnectTransport({ ...lab.target, httpVersion: "1.1" }),
    ].map((transport) =>
      createClient(OrdersService, transport)
        .watchOrders({ userId: "alice" })
        [Symbol.asyncIterator](),
    );
    for (const one of answers) await one.next();
    for (const revision of [1n, 2n]) {
      await pause(600);
      lab.orders.send({ revision, event: { case: "heartbeat", value: {} } });
      assert.equal((await nextOf(events)).revision, String(revision));
      for (const one of answers) assert.equal((await one.next()).value?.revision, revision);
    }
  });

  it("are separate for a watch: the number of watches", async () => {
    await using lab = await startLab({ changes: { "&watches 4096": "&watches 1" } });
    const response = await open(lab, path);
    const message = "The service is not responding. Try again later.";
    const unreachable = { status: 503, code: 14, reason: "SERVICE_UNREACHABLE", message };
    assertEdgeError(await lab.ask("GET", path), unreachable);
    assert.equal((await lab.ask("GET", "/gateway/orders/alice")).status, 200);
    response.destroy();
    await eventually("there is room again", async () => {
      const again = await open(lab, path);
      again.destroy();
      return again.statusCode === 200 || undefined;
    });
  });

  it("are separate for a watch: how long it may be silent", async () => {
    const changes = { "&watchIdleTimeout 45s": "&watchIdleTimeout 0.2s" };
    await using lab = await startLab({ changes });
    const events = eventsOf(await open(lab, path));
    await nextOf(events);
    await assert.rejects(events.next());
    for (const transport of [
      createGrpcTransport(lab.target),
      createGrpcWebTransport({ ...lab.target, httpVersion: "1.1" }),
      createConnectTransport({ ...lab.target, httpVersion: "1.1" }),
    ]) {
      const orders = createClient(OrdersService, transport);
      const answers = orders.watchOrders({ userId: "alice" })[Symbol.asyncIterator]();
      await answers.next();
      await failureOf(answers.next());
    }
    await eventually("the service knows", () => lab.orders.watching === 0 || undefined);
  });
});

/** Reads at least this many bytes, and then stops reading. */
async function readSome(response: IncomingMessage, atLeast: number): Promise<void> {
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > atLeast) return;
  }
  assert.fail(`the stream has ended after ${bytes} bytes`);
}

/** Opens a stream of events as alice; resolves with the response once its headers arrive. */
async function open(lab: Lab, path: string): Promise<IncomingMessage> {
  const { port, authorization } = lab;
  const call = request({ host: "127.0.0.1", port, path, headers: { authorization }, agent: false });
  call.end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return response;
}

/** Yields the events of a stream as they arrive. */
async function* eventsOf(stream: Readable): AsyncGenerator<Event, void> {
  let text = "";
  for await (const chunk of stream) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      assert.match(event, /^data: \{.*\}$/);
      yield JSON.parse(event.slice("data: ".length));
    }
  }
  assert.equal(text, "");
}

async function nextOf(events: AsyncGenerator<Event, void>): Promise<Event> {
  const { value } = await events.next();
  return value ?? assert.fail("the stream has ended");
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => assert.fail("the call succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}
