import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { noFaults } from "../../src/base/faults.ts";
import { newId } from "../../src/base/new-id.ts";
import { type Broker, createBroker, type Publisher } from "../../src/broker/broker.ts";
import type { Database } from "../../src/database/database.ts";
import { createOutbox, type Outbox, type OutboxEvent } from "../../src/events/outbox.ts";
import { createTestBroker, eventually, type TestBroker, testLog } from "../../src/testing.ts";
import { setupDatabase } from "../database/chassis-database.ts";

const routed = "test.v1.Routed";

describe("outbox", () => {
  let setup: Awaited<ReturnType<typeof setupDatabase>>;
  let database: Database;
  let testBroker: TestBroker;
  let broker: Broker;
  const received: { messageId: string | undefined; body: string }[] = [];

  before(async () => {
    setup = await setupDatabase();
    ({ database } = setup);
    testBroker = await createTestBroker({ sender: {}, receiver: { sender: [routed] } });
    broker = createBroker({ url: testBroker.adminUrl, name: "outbox test", log: testLog });
    broker.subscribe({
      queue: "receiver.work",
      prefetch: 100,
      onDelivery(delivery) {
        received.push({ messageId: delivery.messageId, body: delivery.body.toString() });
        delivery.ack();
      },
    });
    await eventually("the broker is ready", () => broker.publisher.ready || undefined);
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await testBroker?.[Symbol.asyncDispose]();
    await setup?.[Symbol.asyncDispose]();
  });

  const outboxOver = (publisher: Publisher, maxDepth = 1_000): Outbox =>
    createOutbox({
      database,
      publisher,
      exchange: "sender.events",
      maxDepth,
      clock: systemClock,
      log: testLog,
      faults: noFaults,
    });
  const away: Publisher = {
    ready: false,
    publish: async () => assert.fail("nothing is published while the broker is away"),
    onReady: () => () => {},
  };
  const eventOf = (body: string, type = routed): OutboxEvent => ({
    id: newId(),
    type,
    payload: Buffer.from(body),
    createTimeMs: Date.now(),
  });
  const write = (outbox: Outbox, events: readonly OutboxEvent[]) =>
    database.transaction((transaction) => outbox.write(transaction, events));
  const waiting = async () => {
    const rows = await database.query<{ id: string }>("SELECT id FROM outbox ORDER BY id", []);
    return rows.map((row) => row.id);
  };
  const empty = async () => ((await waiting()).length === 0 ? true : undefined);
  const receivedOf = (events: readonly OutboxEvent[]) =>
    received.filter(({ messageId }) => events.some(({ id }) => id === messageId));

  it("publishes after the commit, and deletes the row after the confirm", async () => {
    await using outbox = outboxOver(broker.publisher);
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
    await using outbox = outboxOver(broker.publisher);
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
    await using outbox = outboxOver(broker.publisher);
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
    await using outbox = outboxOver(broker.publisher);
    assert.equal(await outbox.sweepOnce(), 0);
    await database.query("UPDATE outbox SET claimed_until = now() - interval '1 second'", []);
    await eventually("the outbox is empty", empty);
    await eventually("it arrived", () => receivedOf([event]).length === 1 || undefined);
  });

  it("never gives one expired row to two replicas", async () => {
    const events = Array.from({ length: 200 }, (_, index) => eventOf(`shared ${index}`));
    {
      await using dead = outboxOver(away);
      await write(dead, events);
    }
    await using first = outboxOver(broker.publisher);
    await using second = outboxOver(broker.publisher);
    await database.query("UPDATE outbox SET claimed_until = now() - interval '1 second'", []);
    await Promise.all([first.sweepOnce(), second.sweepOnce()]);
    await eventually("the outbox is empty", empty);
    await eventually("all arrived", () => receivedOf(events).length >= 200 || undefined);
    assert.equal(receivedOf(events).length, 200);
  });

  it("claims nothing while the broker is unavailable, and reports when it is full", async () => {
    await using outbox = outboxOver(away, 2);
    assert.equal(outbox.full, false);
    await write(outbox, [eventOf("a"), eventOf("b")]);
    await database.query("UPDATE outbox SET claimed_until = now() - interval '1 second'", []);
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
