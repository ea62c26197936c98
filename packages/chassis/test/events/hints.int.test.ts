import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { createBroker } from "../../src/broker/broker.ts";
import { topologyOf } from "../../src/contract/topology.ts";
import { createHints } from "../../src/events/hints.ts";
import { createTestBroker, eventually, type TestBroker, testLog } from "../../src/testing.ts";

const service = "orders";
const exchange = topologyOf(service).hints;
const never = new AbortController().signal;

describe("hints", () => {
  let testBroker: TestBroker;
  let parts: AsyncDisposableStack;
  before(async () => {
    testBroker = await createTestBroker({ [service]: {} });
  });
  after(() => testBroker?.[Symbol.asyncDispose]());
  beforeEach(() => {
    parts = new AsyncDisposableStack();
  });
  afterEach(() => parts.disposeAsync());

  const queues = async () =>
    (await testBroker.manage("GET", `queues/${testBroker.vhost}`)) as { name: string }[];
  /** A replica, with the rights of the service and no more. */
  const startReplica = () => {
    const url = testBroker.urlOf(service);
    const broker = parts.use(createBroker({ url, name: service, log: testLog }));
    return {
      broker,
      ...parts.use(createHints({ broker, exchange, clock: systemClock, log: testLog })),
    };
  };
  /** Starts replicas and waits until what one tells is heard by all others. */
  const startReplicas = async (count: number) => {
    const replicas = Array.from({ length: count }, startReplica);
    if (count === 1) return replicas;
    await eventually("every replica hears every other", async () => {
      const heard = replicas.map(async ({ listen }, nth) => {
        using listener = listen("warm-up");
        const others = replicas.filter((_, other) => other !== nth);
        for (const { tell } of others) tell([{ key: "warm-up", revision: 1n }]);
        return (await listener.above(0n, 200, never)) === 1n;
      });
      return (await Promise.all(heard)).every(Boolean) ? true : undefined;
    });
    return replicas;
  };

  it("reach listeners of that key on every replica, and no others", async () => {
    const [one, two, three] = await startReplicas(3);
    assert.ok(one && two && three);
    using here = one.listen("alice");
    using there = two.listen("alice");
    using third = three.listen("alice");
    using other = two.listen("bob");
    one.tell([
      { key: "carol", revision: 4n },
      { key: "alice", revision: 7n },
    ]);
    for (const listener of [here, there, third]) {
      assert.equal(await listener.above(6n, 5_000, never), 7n);
    }
    assert.equal(await other.above(0n, 50, never), undefined);
  });

  it("are kept for a listener that asks later, and ignored below what it knows", async () => {
    const [one] = await startReplicas(1);
    assert.ok(one);
    using listener = one.listen("alice");
    one.tell([{ key: "alice", revision: 3n }]);
    one.tell([{ key: "alice", revision: 2n }]);
    assert.equal(await listener.above(2n, 0, never), 3n);
    assert.equal(await listener.above(3n, 20, never), undefined);
    const end = new AbortController();
    const waiting = listener.above(3n, 60_000, end.signal);
    end.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
  });

  it("work within a replica that has no broker", async () => {
    const broker = parts.use(
      createBroker({ url: "amqp://127.0.0.1:1", name: service, log: testLog }),
    );
    const hints = parts.use(createHints({ broker, exchange, clock: systemClock, log: testLog }));
    using listener = hints.listen("alice");
    hints.tell([{ key: "alice", revision: 1n }]);
    assert.equal(await listener.above(0n, 0, never), 1n);
  });

  it("come through again after the connection was lost, and leave no queue behind", async () => {
    const [one, two] = await startReplicas(2);
    assert.ok(one && two);
    const before = await queues();
    const connections = (await testBroker.manage(
      "GET",
      `vhosts/${testBroker.vhost}/connections`,
    )) as { name: string }[];
    for (const { name } of connections) {
      await testBroker.manage("DELETE", `connections/${encodeURIComponent(name)}`);
    }
    using listener = two.listen("alice");
    let revision = 0n;
    await eventually("hints come through again", async () => {
      revision += 1n;
      one.tell([{ key: "alice", revision }]);
      return listener.above(0n, 200, never);
    });
    await eventually("there are as many queues as before", async () =>
      (await queues()).length === before.length ? true : undefined,
    );
    await parts.disposeAsync();
    await eventually("no queue of a replica is left", async () =>
      (await queues()).every(({ name }) => !name.startsWith(exchange)) ? true : undefined,
    );
  });
});
