import assert from "node:assert/strict";
import { createLab, createProxy, type Lab, messageTo, startBroker, until } from "./broker-lab.ts";

describe("publishing to the broker", function () {
  this.timeout(30_000);
  let lab: Lab;
  before(async () => {
    lab = await createLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  it("confirms what a queue has accepted, with its properties", async () => {
    await using broker = startBroker(lab.url);
    const queue = await lab.queue();
    await broker.whenReady();
    const large = new Uint8Array(300_000).fill(7);
    const message = messageTo(queue, {
      body: large,
      timestampMs: 1_795_342_523_332,
      headers: { "x-attempt": 2 },
    });
    assert.equal(await broker.publisher.publish(message), "confirmed");

    const got = await lab.admin.get(queue, { noAck: true });
    assert.ok(got);
    assert.deepEqual(new Uint8Array(got.content), large);
    const { contentType, deliveryMode, messageId, type, timestamp, headers } = got.properties;
    const attempt = headers?.["x-attempt"];
    assert.deepEqual(
      { contentType, deliveryMode, messageId, type, timestamp, attempt },
      {
        contentType: "application/x-protobuf",
        deliveryMode: 2,
        messageId: message.messageId,
        type: message.type,
        timestamp: 1_795_342_523,
        attempt: 2,
      },
    );
  });

  it("confirms a thousand published in one turn, in their order", async () => {
    await using broker = startBroker(lab.url);
    const queue = await lab.queue();
    await broker.whenReady();
    const messages = Array.from({ length: 1_000 }, () => messageTo(queue));
    const outcomes = await Promise.all(messages.map(broker.publisher.publish));
    assert.deepEqual(new Set(outcomes), new Set(["confirmed"]));
    const arrived: (string | undefined)[] = [];
    broker.subscribe({ queue, prefetch: 1_000, onDelivery: (one) => arrived.push(one.messageId) });
    await until("all are delivered", () => arrived.length === messages.length);
    assert.deepEqual(
      arrived,
      messages.map((message) => message.messageId),
    );
  });

  it("returns what is bound to no queue, and only that of two with the same id", async () => {
    await using broker = startBroker(lab.url);
    const queue = await lab.queue();
    await broker.whenReady();
    const taken = messageTo(queue);
    const lost = { ...taken, routingKey: "nobody" };
    const outcomes = await Promise.all([taken, lost, lost, taken].map(broker.publisher.publish));
    assert.deepEqual(outcomes, ["confirmed", "returned", "returned", "confirmed"]);
    assert.equal(await lab.ready(queue), 2);
  });

  it("reports unknown for messages on a channel that the broker closed", async () => {
    await using broker = startBroker(lab.url);
    const queue = await lab.queue();
    await broker.whenReady();
    const good = messageTo(queue);
    const bad = { ...good, exchange: "missing" };
    const [first, second, third] = await Promise.all(
      [good, bad, good].map(broker.publisher.publish),
    );
    assert.ok(first === "unknown" || first === "confirmed", first);
    assert.deepEqual([second, third], ["unknown", "unknown"]);
    assert.equal(broker.publisher.ready, false);
    assert.equal(await broker.publisher.publish(good), "unknown");

    await broker.whenReady();
    assert.equal(await broker.publisher.publish(good), "confirmed");
    const lost = broker.logged.filter((line) => line.msg === "publish channel lost");
    assert.equal(lost.length, 1);
    assert.match(lost[0]?.reason ?? "", /no exchange 'missing'/);
  });

  it("reports the refusal of a full queue, and nothing else", async () => {
    await using broker = startBroker(lab.url);
    const queue = await lab.queue({ "max-length": 3, overflow: "reject-publish" });
    await broker.whenReady();
    const outcomes: string[] = [];
    for (let sent = 0; sent < 20; sent += 1) {
      outcomes.push(await broker.publisher.publish(messageTo(queue)));
    }
    const confirmed = outcomes.filter((outcome) => outcome === "confirmed").length;
    assert.deepEqual(new Set(outcomes), new Set(["confirmed", "nacked"]));
    assert.equal(await lab.ready(queue), confirmed);
  });

  it("refuses more unconfirmed messages than the limit and what AMQP cannot carry", async () => {
    await using broker = startBroker(lab.url, { maxUnconfirmed: 2 });
    const queue = await lab.queue();
    await broker.whenReady();
    const message = messageTo(queue);
    assert.deepEqual(await Promise.all([message, message, message].map(broker.publisher.publish)), [
      "confirmed",
      "confirmed",
      "nacked",
    ]);
    const unfit = { ...message, routingKey: "x".repeat(256) };
    assert.equal(await broker.publisher.publish(unfit), "nacked");
    assert.equal(await broker.publisher.publish(message), "confirmed");
  });

  it("stops while the broker is blocked, and announces when it continues", async () => {
    await using proxy = await createProxy(lab.url);
    await using broker = startBroker(proxy.url);
    const queue = await lab.queue();
    await broker.whenReady();
    let readyCalls = 0;
    const end = broker.publisher.onReady(() => {
      readyCalls += 1;
    });
    const before = broker.publisher.publish(messageTo(queue));
    proxy.inject(10, 60, Buffer.from([3, 108, 111, 119]));
    await until("blocked", () => !broker.publisher.ready);
    assert.equal(await before, "confirmed");
    assert.equal(await broker.publisher.publish(messageTo(queue)), "unknown");
    assert.equal(readyCalls, 0);

    proxy.inject(10, 61);
    await broker.whenReady();
    assert.equal(readyCalls, 1);
    assert.equal(await broker.publisher.publish(messageTo(queue)), "confirmed");
    end();
    proxy.inject(10, 60, Buffer.from([3, 108, 111, 119]));
    await until("blocked", () => !broker.publisher.ready);
    proxy.inject(10, 61);
    await broker.whenReady();
    assert.equal(readyCalls, 1);
  });

  it("publishes again after an operator has closed the connection", async () => {
    await using broker = startBroker(lab.url);
    const queue = await lab.queue();
    await broker.whenReady();
    await until(
      "known to the broker",
      async () => (await lab.connections(broker.name)).length === 2,
    );
    const settled: string[] = [];
    let published = 0;
    const pump = setInterval(() => {
      published += 1;
      void broker.publisher.publish(messageTo(queue)).then((outcome) => settled.push(outcome));
    }, 1);
    assert.equal(await lab.closeConnections(broker.name), 2);
    await until("lost", () => settled.includes("unknown"));
    await until("found", () => settled.lastIndexOf("confirmed") > settled.lastIndexOf("unknown"));
    clearInterval(pump);
    await until("each has its answer", () => settled.length === published);
    const confirmed = settled.filter((outcome) => outcome === "confirmed").length;
    assert.ok((await lab.ready(queue)) >= confirmed);
  });
});
