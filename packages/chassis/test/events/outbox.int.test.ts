import assert from "node:assert/strict";
import { pino } from "pino";
import { createCheckedClock, systemClock } from "../../src/base/clock.ts";
import type { Publisher } from "../../src/broker/broker.ts";
import type { OutboxEvent } from "../../src/events/outbox.ts";
import { eventually, testLog } from "../../src/testing.ts";
import { away, type OutboxSetup, setupOutbox } from "./outbox-setup.ts";

const routed = "test.v1.Routed";

describe("outbox", () => {
  let setup: OutboxSetup;
  let database: OutboxSetup["database"];
  let publisher: Publisher;
  const received: { messageId: string | undefined; body: string }[] = [];

  before(async () => {
    setup = await setupOutbox({
      events: {
        Routed: { to: ["receiver"], alsoTo: [] },
        Unrouted: { to: ["receiver"], alsoTo: [] },
      },
      listensTo: { receiver: [routed] },
    });
    ({ database } = setup);
    const { broker } = setup;
    ({ publisher } = broker);
    broker.subscribe({
      queue: "receiver.work",
      prefetch: 100,
      onDelivery(delivery) {
        received.push({ messageId: delivery.messageId, body: delivery.body.toString() });
        delivery.ack();
      },
    });
  });
  after(() => setup?.[Symbol.asyncDispose]());

  const outboxOver: OutboxSetup["outboxOver"] = (...over) => setup.outboxOver(...over);
  const eventOf = (body: string, type = routed): OutboxEvent => setup.eventOf(body, type);
  const write: OutboxSetup["write"] = (...written) => setup.write(...written);
  const waiting = () => setup.waiting();
  const empty = () => setup.empty();
  const lapse = () => setup.lapse();
  const receivedOf = (events: readonly OutboxEvent[]) =>
    received.filter(({ messageId }) => events.some(({ id }) => id === messageId));

  it("publishes after the commit, and deletes the row after the confirm", async () => {
    await using outbox = outboxOver(publisher);
    const events = [eventOf("one"), eventOf("two")];
    await write(outbox, events);
    await eventually("the outbox is empty", empty);
    await eventually("both arrived", () => receivedOf(events).length === 2 || undefined);
    assert.deepEqual(
      receivedOf(events)
        .map(({ body }) => body)
        .toSorted(),
      ["one", "two"],
    );
  });

  it("publishes nothing of a transaction that is rolled back", async () => {
    await using outbox = outboxOver(publisher);
    const event = eventOf("undone");
    const undone = database.transaction(async (transaction) => {
      await outbox.write(transaction, [event]);
      throw new Error("no");
    });
    await assert.rejects(undone);
    const marker = eventOf("marker");
    await write(outbox, [marker]);
    await eventually("the marker arrived", () => receivedOf([marker]).length === 1 || undefined);
    assert.deepEqual(receivedOf([event]), []);
  });

  it("keeps an event that no queue takes", async () => {
    await using outbox = outboxOver(publisher);
    const [lost, kept] = [eventOf("nobody listens", "test.v1.Unrouted"), eventOf("marker")];
    await write(outbox, [lost, kept]);
    await eventually("only the unroutable one is left", async () =>
      (await waiting()).length === 1 ? true : undefined,
    );
    assert.deepEqual(await waiting(), [lost.id]);
    await database.query("DELETE FROM outbox", []);
  });

  it("leaves a claimed row to its owner, and takes it over when the claim has expired", async () => {
    const event = eventOf("left behind");
    {
      await using dead = outboxOver(away);
      await write(dead, [event]);
    }
    await using outbox = outboxOver(publisher);
    assert.equal(await outbox.sweepOnce(), 0);
    await lapse();
    await eventually("the outbox is empty", empty);
    await eventually("it arrived", () => receivedOf([event]).length === 1 || undefined);
  });

  it("takes over a claim that was made while the clock of the database was ahead", async () => {
    await using writer = outboxOver(away);
    const events = [eventOf("in four days")];
    await write(writer, events);
    await database.query("UPDATE outbox SET claimed_until = now() + interval '4 days'", []);
    await using outbox = outboxOver(publisher);
    await outbox.sweepOnce();
    await eventually("the outbox is empty", empty);
    assert.equal(receivedOf(events).length, 1);
  });

  it("compares the clock with that of the database", async () => {
    const machine = { ...systemClock, nowMs: () => Date.now() + 4 * 86_400_000 };
    const clock = createCheckedClock({ machine, log: testLog });
    await using outbox = outboxOver(away, 1_000, { clock });
    await outbox.sweepOnce();
    assert.ok(Math.abs(clock.nowMs() - Date.now()) < 60_000);
  });

  it("keeps events while their queue is deleted, says so once, and publishes them afterwards", async () => {
    const { manage, vhost, restore } = setup.testBroker;
    const lines: string[] = [];
    const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
    await using outbox = outboxOver(publisher, 1_000, { log });
    await manage("DELETE", `queues/${vhost}/receiver.work`);
    const returnedBefore = setup.broker.counts.returned;
    const events = Array.from({ length: 100 }, (_, nth) => eventOf(`kept ${nth}`));
    await write(outbox, events);
    const returned = (times: number) =>
      eventually(`they are returned ${times} times`, () =>
        setup.broker.counts.returned - returnedBefore >= times * events.length ? true : undefined,
      );
    await returned(1);
    for (const times of [2, 3]) {
      await lapse();
      await outbox.sweepOnce();
      await returned(times);
    }
    assert.deepEqual(await waiting(), events.map(({ id }) => id).toSorted());
    assert.equal(lines.length, 1, lines.join(""));
    assert.match(lines[0] ?? "", /no queue is bound for this event/);
    assert.ok((await restore()).includes("queue receiver.work"));
    await lapse();
    await outbox.sweepOnce();
    await eventually("the outbox is empty", empty);
    await eventually("all arrived", () => receivedOf(events).length >= 100 || undefined);
  });

  it("publishes again on the next channel what the last one lost", async () => {
    const reopened: (() => void)[] = [];
    const tried = Promise.withResolvers<void>();
    let channels = 1;
    const losing: Publisher = {
      ready: true,
      async publish(message) {
        if (channels > 1) return publisher.publish(message);
        tried.resolve();
        return "unknown";
      },
      onReady(listener) {
        reopened.push(listener);
        return () => {};
      },
    };
    await using outbox = outboxOver(losing);
    const events = [eventOf("lost")];
    await write(outbox, events);
    // No sweep takes it in the time of this test.
    await database.query("UPDATE outbox SET claimed_until = now() + interval '50 seconds'", []);
    await tried.promise;
    channels += 1;
    await eventually("it arrived", () => {
      for (const listener of reopened) listener();
      return receivedOf(events).length > 0 || undefined;
    });
    await eventually("the outbox is empty", empty);
  });

  it("never gives one expired row to two replicas", async () => {
    const events = Array.from({ length: 200 }, (_, index) => eventOf(`shared ${index}`));
    {
      await using dead = outboxOver(away);
      await write(dead, events);
    }
    await using first = outboxOver(publisher);
    await using second = outboxOver(publisher);
    await lapse();
    await Promise.all([first.sweepOnce(), second.sweepOnce()]);
    await eventually("the outbox is empty", empty);
    await eventually("all arrived", () => receivedOf(events).length >= 200 || undefined);
    assert.equal(receivedOf(events).length, 200);
  });

  it("claims nothing while the broker is unavailable, and reports when it is full", async () => {
    await using outbox = outboxOver(away, 2);
    assert.equal(outbox.full, false);
    await write(outbox, [eventOf("a"), eventOf("b")]);
    await lapse();
    await eventually("the outbox is full", () => outbox.full || undefined);
    const lapsed = await database.query("SELECT 1 FROM outbox WHERE claimed_until < now()", []);
    assert.equal(lapsed.length, 2);
    await database.query("DELETE FROM outbox", []);
  });

  it("claims no more than its limit, whatever the plan", async () => {
    const insert = (count: number) =>
      database.query(
        `INSERT INTO outbox SELECT gen_random_uuid(), $2, '', now(), now() - interval '1 minute'
         FROM generate_series(1, $1::int)`,
        [count, routed],
      );
    await insert(3_000);
    await database.query("DELETE FROM outbox", []);
    // Keeps the pages, as with a writer under way: many, and as far as the planner knows empty.
    await database.query("VACUUM (ANALYZE, TRUNCATE false) outbox", []);
    await using outbox = outboxOver({ ...away, ready: true, publish: async () => "unknown" });
    await insert(10_000);
    assert.equal(await outbox.sweepOnce(), 500);
    await database.query("DELETE FROM outbox", []);
  });
});
