import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { createLab, createProxy, type Lab, messageTo, startBroker, until } from "./broker-lab.ts";

describe("the link to the broker", function () {
  this.timeout(30_000);
  let lab: Lab;
  before(async () => {
    lab = await createLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  it("has two connections with names", async () => {
    await using broker = startBroker(lab.url);
    await until("known", async () => (await lab.connections(broker.name)).length === 2);
    const names = (await lab.connections(broker.name)).map((one) => one.client);
    assert.deepEqual(names.sort(), [`${broker.name} consume`, `${broker.name} publish`]);
  });

  it("is made when the broker becomes available, and logs little until then", async () => {
    await using proxy = await createProxy(lab.url);
    await proxy.stop();
    await using broker = startBroker(proxy.url);
    const queue = await lab.queue();
    let deliveries = 0;
    broker.subscribe({
      queue,
      prefetch: 1,
      onDelivery(delivery) {
        deliveries += 1;
        delivery.ack();
      },
    });
    const refusals = () => broker.logged.filter((line) => line.reason?.includes("ECONNREFUSED"));
    await until("eight attempts", () => refusals().length >= 8);
    assert.equal(refusals().filter((line) => line.level > 20).length, 2);
    assert.equal(broker.publisher.ready, false);
    assert.equal(await broker.publisher.publish(messageTo(queue)), "unknown");

    await proxy.start();
    await broker.whenReady();
    assert.equal(await broker.publisher.publish(messageTo(queue)), "confirmed");
    await until("delivery", () => deliveries === 1);
  });

  it("is dropped by heartbeat when nothing arrives any more", async () => {
    await using proxy = await createProxy(lab.url);
    // Pauses longer than the test looks at the sockets.
    const pauses = { firstPauseMs: 2_000, longestPauseMs: 2_000 };
    const limits = { heartbeatS: 1, closeTimeoutMs: 100, ...pauses };
    await using broker = startBroker(proxy.url, limits);
    const queue = await lab.queue();
    let closed = 0;
    const subscription = broker.subscribe({
      queue,
      prefetch: 1,
      onDelivery: (delivery) => delivery.ack(),
      onClosed: () => {
        closed += 1;
      },
    });
    await until("consuming", () => broker.publisher.ready && subscription.consuming);
    proxy.silence(true);
    const startedMs = performance.now();
    assert.equal(await broker.publisher.publish(messageTo(queue)), "unknown");
    assert.ok(performance.now() - startedMs < 8_000);
    await until("both noticed", () => closed === 1);
    await until("sockets freed", () => proxy.heldSockets === 0);

    proxy.silence(false);
    await until("consuming", () => broker.publisher.ready && subscription.consuming);
    assert.equal(await broker.publisher.publish(messageTo(queue)), "confirmed");
    assert.ok(broker.logged.some((line) => line.reason === "Heartbeat timeout"));
  });

  it("is dropped when connecting, or opening a channel, takes too long", async () => {
    await using proxy = await createProxy(lab.url);
    proxy.silence(true);
    await using broker = startBroker(proxy.url, { connectTimeoutMs: 100, channelTimeoutMs: 200 });
    const reasons = () => broker.logged.map((line) => line.reason);
    await until("deadline", () => reasons().includes("not connected within 100 ms"));
    proxy.onOpenOk((client, lastPacket) => {
      client.write(lastPacket);
      proxy.mute(client);
    });
    proxy.silence(false);
    await until("channel deadline", () =>
      reasons().includes("publish channel: no channel in 200 ms"),
    );
    proxy.onOpenOk((client, lastPacket) => client.write(lastPacket));
    await broker.whenReady();
  });

  // connection.close 320 "x"
  const close = Buffer.from([1, 0, 0, 0, 0, 0, 12, 0, 10, 0, 50, 1, 64, 1, 120, 0, 0, 0, 0, 0xce]);
  const deaths: Record<string, (client: Socket, lastPacket: Buffer) => void> = {
    "ends in order": (client, lastPacket) => client.end(lastPacket),
    "is reset": (client, lastPacket) => client.write(lastPacket, () => client.resetAndDestroy()),
    "is closed by the broker": (client, lastPacket) =>
      client.write(Buffer.concat([lastPacket, close])),
  };
  for (const [death, kill] of Object.entries(deaths)) {
    it(`survives that the socket ${death} with the last packet of the handshake`, async () => {
      await using proxy = await createProxy(lab.url);
      let killed = 0;
      proxy.onOpenOk((client, lastPacket) => {
        killed += 1;
        kill(client, lastPacket);
      });
      await using broker = startBroker(proxy.url);
      const queue = await lab.queue();
      const subscription = broker.subscribe({ queue, prefetch: 1, onDelivery: () => {} });
      await until("twenty deaths", () => killed >= 20);
      proxy.onOpenOk((client, lastPacket) => client.write(lastPacket));
      await until("consuming", () => broker.publisher.ready && subscription.consuming);
      assert.equal(await broker.publisher.publish(messageTo(queue)), "confirmed");
    });
  }

  it("is closed in time whatever state it is in", async () => {
    await using proxy = await createProxy(lab.url);
    const queue = await lab.queue();
    const states: Record<string, () => Promise<void> | void> = {
      open: () => {},
      blocked: () => proxy.inject(10, 60, Buffer.from([0])),
      silent: () => proxy.silence(true),
    };
    for (const [state, bringAbout] of Object.entries(states)) {
      const broker = startBroker(proxy.url, { closeTimeoutMs: 200 });
      const subscription = broker.subscribe({ queue, prefetch: 9, onDelivery: () => {} });
      await until("consuming", () => broker.publisher.ready && subscription.consuming);
      const inFlight = broker.publisher.publish(messageTo(queue));
      await bringAbout();
      const startedMs = performance.now();
      await broker[Symbol.asyncDispose]();
      assert.ok(performance.now() - startedMs < 800, state);
      assert.ok(["confirmed", "unknown"].includes(await inFlight), state);
      assert.equal(broker.publisher.ready, false);
      assert.equal(await broker.publisher.publish(messageTo(queue)), "unknown");
      await until("sockets freed", () => proxy.heldSockets === 0);
      proxy.silence(false);
    }
    proxy.silence(true);
    const connecting = startBroker(proxy.url);
    await until("connecting", () => proxy.heldSockets === 2);
    await connecting[Symbol.asyncDispose]();
    await until("sockets freed", () => proxy.heldSockets === 0);
  });
});
