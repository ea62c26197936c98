import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { WatchOrdersResponse } from "@settle/gen/orders/v1/orders_service_pb";
import { successOf } from "../harness/calls/call.ts";
import {
  type Watcher,
  WatchRefused,
  watchConnect,
  watchers,
  watchGrpc,
  watchGrpcWeb,
  watchRest,
} from "../harness/calls/watchers.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type Shopper } from "../harness/checker/history.ts";
import {
  type Replica,
  type ServiceName,
  type System,
  startSystem,
} from "../harness/system/system.ts";
import { openTestIssuer } from "../harness/system/tokens.ts";

const { PENDING_PAYMENT, PAID, CANCELLED } = OrderStatus;

describe("a watch", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let shopper: Shopper;
  let replicas: Readonly<Record<ServiceName, Replica>>;
  let stop: AbortController;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
    shopper = createShopper(history, system.call);
  });
  after(() => system?.[Symbol.asyncDispose]());
  beforeEach(() => {
    stop = new AbortController();
  });
  afterEach(() => stop.abort());

  /** Opens a watch; each call of the returned function takes the next message. */
  const open = (watch: Watcher, userId: string, afterRevision = 0n) => {
    const answers = watch({ userId, afterRevision }, stop.signal)[Symbol.asyncIterator]();
    return async (): Promise<WatchOrdersResponse> => {
      const { value, done } = await answers.next();
      assert.ok(!done, "the stream has ended");
      return value;
    };
  };
  type Next = ReturnType<typeof open>;
  const orderFrom = async (next: Next) => {
    const { event, revision } = await next();
    assert.ok(event.case === "order", event.case);
    assert.equal(event.value.revision, revision);
    return event.value;
  };
  const assertHeartbeat = async (next: Next, revision: bigint) => {
    const answer = await next();
    assert.equal(answer.event.case, "heartbeat");
    assert.equal(answer.revision, revision);
  };

  for (const [protocol, watcher] of Object.entries(watchers)) {
    it(`sends current orders and then changes over ${protocol}, and resumes after an interruption`, async () => {
      const userId = `watched-${protocol.toLowerCase()}`;
      await shopper.fundedAccount(userId, 100n);
      const next = open(watcher(system.edgeUrl), userId);
      await assertHeartbeat(next, 0n);
      const created = await successOf(shopper.createOrder(userId, 40n));
      let order = await orderFrom(next);
      assert.equal(order.id, created.id);
      // The state in between may be skipped.
      if (order.status === PENDING_PAYMENT) order = await orderFrom(next);
      assert.equal(order.status, PAID);
      assert.deepEqual(order.amount, created.amount);

      const resumed = open(watcher(system.edgeUrl), userId, order.revision);
      await assertHeartbeat(resumed, order.revision);
      const afresh = open(watcher(system.edgeUrl), userId);
      assert.deepEqual(await orderFrom(afresh), order);
      await assertHeartbeat(afresh, order.revision);

      const second = await successOf(shopper.createOrder(userId, 1n));
      for (const stream of [next, resumed, afresh]) {
        assert.equal((await orderFrom(stream)).id, second.id);
      }
    });
  }

  it("ends with a last message and an error when its token expires, by every protocol", async () => {
    const { sign } = await openTestIssuer();
    const watching = async (watcher: (url: string, as: () => Promise<string>) => Watcher) => {
      const token = await sign({ userId: "brief", lifetimeS: 2 });
      const cases: unknown[] = [];
      let refusal: unknown;
      try {
        const watch = watcher(system.edgeUrl, async () => `Bearer ${token}`);
        for await (const { event } of watch({ userId: "brief" }, stop.signal)) {
          cases.push(event.case === "end" ? event.value.reason : event.case);
        }
      } catch (error) {
        assert.ok(error instanceof WatchRefused, String(error));
        refusal = error.refusal.reason;
      }
      return [cases, refusal];
    };
    const told = ["heartbeat", ErrorReason.UNAUTHENTICATED];
    const [rest, ...others] = await Promise.all(
      [watchRest, watchConnect, watchGrpcWeb, watchGrpc].map(watching),
    );
    // REST cannot send an error after the first message.
    assert.deepEqual(rest, [told, undefined]);
    for (const other of others) assert.deepEqual(other, [told, "UNAUTHENTICATED"]);
  });

  it("ends with an error when the service stops, by every protocol, and can be reopened", async () => {
    const watching = Object.values(watchers).map(async (watcher) => {
      const cases: unknown[] = [];
      let opened = () => {};
      const open = new Promise<void>((resolve) => {
        opened = resolve;
      });
      const ended = (async () => {
        try {
          for await (const { event } of watcher(system.edgeUrl)({ userId: "x" }, stop.signal)) {
            opened();
            cases.push(event.case === "end" ? event.value.reason : event.case);
          }
        } catch (error) {
          assert.ok(error instanceof WatchRefused, String(error));
        }
        return cases;
      })();
      await open;
      return { ended };
    });
    const streams = await Promise.all(watching);
    const { port } = replicas.orders;
    const { code } = await replicas.orders.stop();
    assert.equal(code, 0);
    for (const { ended } of streams) {
      assert.deepEqual(await ended, ["heartbeat", ErrorReason.UNAVAILABLE]);
    }
    replicas = { ...replicas, orders: await system.start("orders", { port }) };
    await system.healthy();
    await assertHeartbeat(open(watchRest(system.edgeUrl), "x"), 0n);
  });

  it("is kept open by heartbeats", async () => {
    const [first, ...more] = Object.values(watchers).map((watcher) =>
      open(watcher(system.edgeUrl), "quiet"),
    );
    assert.ok(first);
    for (let beat = 0; beat < 2; beat += 1) {
      await Promise.all([first, ...more].map((next) => assertHeartbeat(next, 0n)));
    }
  });

  it("sends an order that is cancelled by its user or expires", async () => {
    const { port } = replicas.payments;
    await shopper.fundedAccount("canceller", 100n);
    await replicas.payments.kill();
    const next = open(watchGrpc(system.edgeUrl), "canceller");
    await assertHeartbeat(next, 0n);
    const created = await successOf(shopper.createOrder("canceller", 40n));
    assert.equal((await orderFrom(next)).status, PENDING_PAYMENT);
    const cancelled = await successOf(shopper.cancelOrder(created));
    assert.equal(cancelled.status, CANCELLED);
    assert.deepEqual(await orderFrom(next), cancelled);
    const expiring = await successOf(
      shopper.createOrder("canceller", 40n, { label: "expiring", expireAfterS: 1 }),
    );
    assert.equal((await orderFrom(next)).id, expiring.id);
    const expired = await orderFrom(next);
    assert.equal(expired.id, expiring.id);
    assert.equal(expired.status, CANCELLED);
    assert.ok(expired.expireTime);
    replicas = { ...replicas, payments: await system.start("payments", { port }) };
    await eventually("the edge finds payments", () => system.healthy().then(() => true));
  });

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});
