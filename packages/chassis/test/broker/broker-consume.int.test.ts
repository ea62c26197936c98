import assert from "node:assert/strict";
import type { Delivery } from "../../src/broker/broker.ts";
import { createLab, type Lab, messageTo, startBroker, until } from "./broker-lab.ts";

describe("consuming from the broker", function () {
  this.timeout(30_000);
  let lab: Lab;
  before(async () => {
    lab = await createLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  /** A queue holding the messages "1" to "n", a broker and what it delivers. */
  async function setup({ messages = 0, prefetch = 100 } = {}) {
    const broker = startBroker(lab.url);
    const queue = await lab.queue({ "delivery-limit": 100 });
    await broker.whenReady();
    for (let id = 1; id <= messages; id += 1) {
      await broker.publisher.publish(messageTo(queue, { messageId: String(id) }));
    }
    const deliveries: Delivery[] = [];
    let closed = 0;
    const subscription = broker.subscribe({
      queue,
      prefetch,
      onDelivery: (delivery) => deliveries.push(delivery),
      onClosed: () => {
        closed += 1;
      },
    });
    return {
      broker,
      queue,
      subscription,
      deliveries,
      closed: () => closed,
      delivered: (count: number) =>
        until(`${count} deliveries`, () => {
          assert.ok(deliveries.length <= count, `${deliveries.length} deliveries`);
          return deliveries.length === count;
        }),
      /** Ends the broker and returns the ids of what the queue still holds. */
      async left() {
        await broker[Symbol.asyncDispose]();
        const ids: string[] = [];
        for (;;) {
          const message = await lab.admin.get(queue, { noAck: true });
          if (!message) return ids.sort((a, b) => Number(a) - Number(b));
          ids.push(message.properties.messageId);
        }
      },
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  }
  const idsOf = (deliveries: readonly Delivery[]) => deliveries.map((one) => one.messageId);

  it("delivers no more than the prefetch until something is settled", async () => {
    await using test = await setup({ messages: 10, prefetch: 3 });
    await test.delivered(3);
    assert.equal(await lab.ready(test.queue), 7);
    test.deliveries[1]?.ack();
    await test.delivered(4);
    test.deliveries[0]?.ack();
    test.deliveries[2]?.ack();
    await test.delivered(6);
    assert.deepEqual(await test.left(), ["4", "5", "6", "7", "8", "9", "10"]);
  });

  it("acknowledges exactly what was acked, in any order and over several turns", async () => {
    await using test = await setup({ messages: 12 });
    await test.delivered(12);
    const turns = [["9", "5"], ["1"], ["3", "2"], ["12"], ["4", "6"]];
    for (const turn of turns) {
      for (const id of turn) test.deliveries[Number(id) - 1]?.ack();
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    test.deliveries[6]?.ack();
    assert.deepEqual(await test.left(), ["8", "10", "11"]);
    assert.equal(test.closed(), 1);
  });

  it("settles a message once", async () => {
    await using test = await setup({ messages: 3 });
    await test.delivered(3);
    test.deliveries[0]?.ack();
    test.deliveries[0]?.ack();
    test.deliveries[0]?.requeue();
    await new Promise(setImmediate);
    test.deliveries[0]?.ack();
    assert.deepEqual(await test.left(), ["2", "3"]);
    assert.deepEqual(
      test.broker.logged.filter((line) => line.msg.endsWith("lost")),
      [],
    );
  });

  it("gives back what is requeued or fails its listener", async () => {
    await using test = await setup({ messages: 2 });
    await test.delivered(2);
    test.deliveries[0]?.requeue();
    await test.delivered(3);
    assert.equal(test.deliveries[2]?.messageId, "1");
    assert.equal(test.deliveries[2]?.redelivered, true);

    const queue = await lab.queue({ "delivery-limit": 100 });
    let calls = 0;
    test.broker.subscribe({
      queue,
      prefetch: 1,
      onDelivery(delivery) {
        calls += 1;
        if (calls < 3) throw new Error("a bug");
        delivery.ack();
      },
    });
    await test.broker.publisher.publish(messageTo(queue));
    await until("third call", () => calls === 3);
    await test.broker[Symbol.asyncDispose]();
    assert.equal(await lab.ready(queue), 0);
  });

  it("gives everything unsettled back when paused and takes it again when resumed", async () => {
    await using test = await setup({ messages: 3 });
    await test.delivered(3);
    assert.equal(test.subscription.consuming, true);
    test.deliveries[1]?.ack();
    await test.subscription.pause();
    assert.equal(test.subscription.consuming, false);
    assert.equal(test.closed(), 1);
    await until("back in the queue", async () => (await lab.ready(test.queue)) === 2);
    // Would name the message that comes next on the new channel, were it not bound to the old.
    test.deliveries[0]?.ack();

    test.subscription.resume();
    await test.delivered(5);
    assert.deepEqual(idsOf(test.deliveries.slice(3)), ["1", "3"]);
    assert.ok(test.deliveries.slice(3).every((delivery) => delivery.redelivered));
    test.deliveries[0]?.ack();
    test.deliveries[2]?.requeue();
    test.deliveries[4]?.ack();
    const pausing = test.subscription.pause();
    test.subscription.resume();
    await pausing;
    await test.delivered(6);
    assert.deepEqual(await test.left(), ["1"]);
  });

  it("takes everything again after its connection is closed, and ignores what was before", async () => {
    await using test = await setup({ messages: 2 });
    await test.delivered(2);
    await until("known", async () => (await lab.connections(test.broker.name)).length === 2);
    await lab.closeConnections(test.broker.name);
    await test.delivered(4);
    for (const old of test.deliveries.slice(0, 2)) old.ack();
    await new Promise(setImmediate);
    assert.deepEqual(await test.left(), ["1", "2"]);
  });

  it("consumes again when its queue is deleted and made again", async () => {
    await using test = await setup({ messages: 1 });
    await test.delivered(1);
    await lab.admin.deleteQueue(test.queue);
    await until("not consuming", () => !test.subscription.consuming);
    test.deliveries[0]?.ack();
    await lab.queue(undefined, test.queue);
    await until("consuming", () => test.subscription.consuming);
    await test.broker.publisher.publish(messageTo(test.queue, { messageId: "2" }));
    await test.delivered(2);
    assert.equal(test.deliveries[1]?.messageId, "2");
  });

  it("waits for a queue that does not exist yet, saying so once", async () => {
    await using broker = startBroker(lab.url);
    let deliveries = 0;
    const subscription = broker.subscribe({
      queue: "later",
      prefetch: 1,
      onDelivery: () => {
        deliveries += 1;
      },
    });
    const refusals = () =>
      broker.logged.filter((line) => line.reason?.includes("no queue 'later'"));
    await until("third attempt", () => refusals().length >= 3);
    assert.equal(refusals().filter((line) => line.level > 20).length, 1);
    await lab.queue(undefined, "later");
    await until("consuming", () => subscription.consuming);
    await broker.publisher.publish(messageTo("later"));
    await until("delivery", () => deliveries === 1);
  });

  it("when disposed takes no more but lets what has come be settled", async () => {
    await using test = await setup({ messages: 4, prefetch: 3 });
    await test.delivered(3);
    await test.subscription[Symbol.asyncDispose]();
    assert.equal(test.subscription.consuming, false);
    test.subscription.resume();
    test.deliveries[2]?.ack();
    test.deliveries[0]?.requeue();
    await until("back in the queue", async () => (await lab.ready(test.queue)) === 2);
    assert.equal(test.closed(), 0);
    test.deliveries[1]?.ack();
    await until("channel closed", () => test.closed() === 1);
    assert.deepEqual(await test.left(), ["1", "4"]);
  });

  it("gives back what is unsettled when the broker is disposed", async () => {
    await using test = await setup({ messages: 3 });
    await test.delivered(3);
    test.deliveries[2]?.ack();
    assert.deepEqual(await test.left(), ["1", "2"]);
    await test.broker[Symbol.asyncDispose]();
  });
});
