import assert from "node:assert/strict";
import { Client, escapeIdentifier } from "pg";
import { createCheckedClock, systemClock } from "../../src/base/clock.ts";
import { noFaults } from "../../src/base/faults.ts";
import { newId } from "../../src/base/new-id.ts";
import { firstIdAt } from "../../src/contract/message-id.ts";
import type { Database } from "../../src/database/database.ts";
import { claimMessages, releaseMessages } from "../../src/events/inbox.ts";
import { eventually, testLog } from "../../src/testing.ts";
import { createProxy } from "../broker/broker-lab.ts";
import { openChassisDatabase } from "../database/chassis-database.ts";
import { countEffects, eventOf, type Sent, setupConsumer } from "./consumer-setup.ts";

const nothing = { work: 0, dead: 0 };
const dayMs = 86_400_000;

describe("consumer", () => {
  let setup: Awaited<ReturnType<typeof setupConsumer>>;
  beforeEach(async () => {
    setup = await setupConsumer();
  });
  afterEach(() => setup?.[Symbol.asyncDispose]());

  const times = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index));
  const ones = (ids: readonly string[]) => new Map(ids.map((id) => [id, "1"]));
  const sorted = (map: Map<string, string>) => new Map([...map].toSorted());
  const idAt = (timeMs: number) => firstIdAt(timeMs).replace("-0000-0000-", "-7000-8000-");

  it("handles each message once, however many copies arrive together or later", async () => {
    const messages = times(200, () => ({ messageId: newId() }));
    const again = [...messages, ...messages.toReversed()];
    const ids = messages.map(({ messageId }) => messageId);
    await setup.publish(again);
    {
      await using consuming = await setup.consume(countEffects);
      await setup.effects(200);
      await setup.publish(again);
      const marker = await setup.publish([{}]);
      await eventually("all have come", () => consuming.deliveries.length === 801 || undefined);
      assert.deepEqual(sorted(await setup.effects(201)), sorted(ones([...ids, ...marker])));
    }
    assert.deepEqual(await setup.waiting(), nothing);
    assert.deepEqual(setup.retried, []);
  });

  it("fails only the message that the database refuses", async () => {
    const poisons = [17, 60];
    const bodies = times(100, (nth) => eventOf(poisons.includes(nth) ? "poison" : "alice"));
    const ids = await setup.publish(bodies.map((body) => ({ body })));
    const sentMs = Date.now();
    {
      await using _ = await setup.consume(async (transaction, messages) => {
        await countEffects(transaction, messages);
        if (messages.some(({ event }) => event.userId === "poison")) {
          await transaction.query("INSERT INTO effects VALUES ('poison', NULL)", []);
        }
        return { tooEarly: [] };
      });
      const good = ids.filter((_, nth) => !poisons.includes(nth));
      assert.deepEqual(sorted(await setup.effects(98)), sorted(ones(good)));
      const dead = await setup.deadLetters(2);
      assert.deepEqual(
        new Set(dead.map(({ properties }) => properties.messageId)),
        new Set(poisons.map((nth) => ids[nth])),
      );
      for (const { properties, content } of dead) {
        const {
          "x-reason": reason,
          "x-attempt": attempt,
          "x-first-seen": seenMs,
        } = properties.headers ?? {};
        assert.equal(reason, "failed: refused");
        assert.equal(attempt, 0);
        assert.ok(Math.abs(seenMs - sentMs) < 10_000, `first seen ${seenMs}, sent ${sentMs}`);
        const nth = ids.indexOf(properties.messageId);
        assert.deepEqual(content, Buffer.from(bodies[nth] as Uint8Array));
      }
    }
    assert.deepEqual(await setup.waiting(), nothing);
    assert.deepEqual(setup.retried, []);
  });

  it("moves invalid messages to the dead letters, and continues", async () => {
    const unread: readonly (readonly [RegExp, Sent])[] = [
      [/^type events\.v1\.Other is not handled here/, { type: "events.v1.Other" }],
      [/^type \(none\) is not handled here/, { type: undefined }],
      [/^the body is not a valid events\.v1\.OrderCreatedEvent/, { body: Buffer.from("garbage") }],
      [/^violates its validation rules: /, { body: eventOf("alice", "no id") }],
      [/^message_id is not a UUIDv7/, { messageId: undefined }],
      [/^message_id is not a UUIDv7/, { messageId: crypto.randomUUID() }],
      [/^message_id is not a UUIDv7/, { messageId: newId().toUpperCase() }],
      [/^message_id is not a UUIDv7/, { messageId: "é".repeat(127) }],
      [/^message_id is older than 30 days/, { messageId: idAt(Date.now() - 31 * dayMs) }],
    ];
    {
      await using _ = await setup.consume(countEffects);
      await setup.publish(unread.map(([, message]) => message));
      const dead = await setup.deadLetters(unread.length);
      dead.forEach(({ properties }, nth) => {
        assert.match(properties.headers?.["x-reason"], unread[nth]?.[0] as RegExp);
        assert.equal(properties.headers?.["x-attempt"], 0);
        assert.equal(typeof properties.headers?.["x-first-seen"], "number");
      });
      const [id] = await setup.publish([{}]);
      assert.deepEqual(await setup.effects(1), ones([id ?? ""]));
    }
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("handles a message from the future once, and one that is old only by its own clock", async () => {
    const ids = [Date.now() + 4 * dayMs, Date.now() + 400 * dayMs, Date.now() - 29 * dayMs].map(
      idAt,
    );
    const sent = ids.map((messageId) => ({ messageId }));
    for (const daysOff of [4, 400, -400]) {
      // The machine's clock jumps after the start.
      const machine = { ...systemClock };
      const clock = createCheckedClock({ machine, log: testLog });
      machine.nowMs = () => Date.now() + daysOff * dayMs;
      await using _ = await setup.consume(countEffects, setup.database, clock);
      await setup.publish(sent);
      const [id] = await setup.publish([{}]);
      await eventually("the last one is handled", async () =>
        (await setup.effects(ids.length)).has(id ?? "") ? true : undefined,
      );
      for (const one of ids) assert.equal((await setup.effects(1)).get(one), "1", `${daysOff}`);
    }
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("moves a message whose id and type are not text to the dead letters", async () => {
    // Bytes that the client library would not send, put in their place on their way.
    const marks = { messageId: "Z".repeat(255), type: "Y".repeat(255) };
    const { stream } = (
      setup.connection as unknown as { connection: { stream: NodeJS.WritableStream } }
    ).connection;
    const write = stream.write.bind(stream) as (bytes: Buffer) => boolean;
    stream.write = (bytes: unknown) =>
      write(
        Buffer.from(
          (bytes as Buffer).toString("latin1").replace(/Z{255}|Y{255}/g, "\xff".repeat(255)),
          "latin1",
        ),
      );
    {
      await using _ = await setup.consume(countEffects);
      await setup.publish([{ messageId: marks.messageId }, { type: marks.type }]);
      const dead = await setup.deadLetters(2);
      const [byId, byType] = dead.map(({ properties }) => properties);
      assert.match(byId?.headers?.["x-reason"], /^message_id is not a UUIDv7/);
      assert.match(byId?.messageId, /^\ufffd+$/);
      assert.match(byType?.headers?.["x-reason"], /^type \ufffd+ is not handled here/);
    }
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("retries messages that came too early or failed temporarily, from a retry queue", async () => {
    const seen = new Set<string>();
    const ids = await setup.publish([{}, { body: eventOf("fails") }, {}]);
    {
      await using _ = await setup.consume(async (transaction, messages) => {
        const unseen = messages.filter(({ id }) => !seen.has(id));
        const fails = unseen.some(({ event }) => event.userId === "fails");
        // As part of a batch it may fail several times before it stands alone.
        for (const { id } of fails && messages.length > 1 ? [] : unseen) seen.add(id);
        if (fails) throw new Error("for once");
        await countEffects(
          transaction,
          messages.filter((message) => !unseen.includes(message)),
        );
        return { tooEarly: unseen.map(({ id }) => id) };
      });
      assert.deepEqual(sorted(await setup.effects(3)), sorted(ones(ids)));
    }
    assert.deepEqual(new Set(setup.retried.map(({ messageId }) => messageId)), new Set(ids));
    for (const { headers } of setup.retried) {
      assert.equal(headers["x-attempt"], 1);
      assert.equal(typeof headers["x-first-seen"], "number");
    }
    assert.equal(setup.retried.length, 3);
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("loses no message whose attempt header is invalid", async () => {
    const odd = [-1, 0.5, "text", true];
    const withAttempt = (attempt: unknown) => ({ headers: { "x-attempt": attempt } });
    const ids = await setup.publish([...odd, 29, 30, 1_000_000_000].map(withAttempt));
    {
      await using _ = await setup.consume(async (_, messages) => ({
        tooEarly: messages.map(({ id }) => id),
      }));
      const dead = await setup.deadLetters(2);
      const known = () => setup.retried.filter(({ headers }) => headers["x-attempt"] === 1);
      await eventually("the odd ones wait", () => known().length >= odd.length || undefined);
      assert.deepEqual(
        new Set(known().map(({ messageId }) => messageId)),
        new Set(ids.slice(0, 4)),
      );
      assert.deepEqual(
        dead.map(({ properties: { messageId, headers } }) => [messageId, headers?.["x-attempt"]]),
        ids.slice(5).map((id) => [id, 30]),
      );
      assert.equal(dead[0]?.properties.headers?.["x-reason"], "still too early, 30 times");
      const last = setup.retried.find(({ messageId }) => messageId === ids[4]);
      assert.equal(last?.headers["x-attempt"], 30);
    }
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("moves the messages of a locked user aside, without an attempt, and handles all others", async () => {
    await setup.database.query("INSERT INTO effects VALUES ('locked', 0)", []);
    const countUsers: typeof countEffects = async (transaction, messages) => {
      await transaction.query(
        `INSERT INTO effects SELECT name, count(*) FROM unnest($1::text[]) AS name
         GROUP BY name ORDER BY name
         ON CONFLICT (name) DO UPDATE SET count = effects.count + EXCLUDED.count`,
        [messages.map(({ event }) => event.userId)],
      );
      return { tooEarly: [] };
    };
    const countOf = async (users: string) => {
      const [row] = await setup.database.query<{ count: string }>(
        "SELECT sum(count) AS count FROM effects WHERE name LIKE $1",
        [users],
      );
      return Number(row?.count);
    };
    const handled = (users: string, count: number) =>
      eventually(
        `${count} of ${users} are handled`,
        async () => (await countOf(users)) === count || undefined,
      );
    await using _ = await setup.consume(countUsers);
    const own = times(40, () => ({ body: eventOf("locked"), headers: { "x-attempt": 7 } }));
    let ids: readonly string[] = [];
    await setup.database.transaction(async (transaction) => {
      await transaction.query("SELECT 1 FROM effects WHERE name = 'locked' FOR UPDATE", []);
      ids = await setup.publish(own);
      await setup.publish(times(600, (nth) => ({ body: eventOf(`user-${nth % 50}`) })));
      await handled("user-%", 600);
      await eventually("each has been set aside", () => setup.retried.length >= 40 || undefined);
      await setup.publish([{ body: eventOf("user-0") }]);
      await handled("user-%", 601);
    });
    await handled("locked", 40);
    assert.deepEqual(new Set(setup.retried.map(({ messageId }) => messageId)), new Set(ids));
    assert.ok(setup.retried.every(({ headers }) => headers["x-attempt"] === 7));
  });

  it("handles all other messages while another transaction holds the id of one", async () => {
    const messages = times(100, (nth) => ({ messageId: newId(), body: eventOf(`user-${nth}`) }));
    const [held = "", ...ids] = messages.map(({ messageId }) => messageId);
    await using _ = await setup.consume(countEffects);
    await setup.database.transaction(async (transaction) => {
      await claimMessages(transaction, [held]);
      await setup.publish(messages);
      assert.deepEqual(sorted(await setup.effects(99)), sorted(ones(ids)));
      await eventually("it has been set aside", () => setup.retried.length > 0 || undefined);
      await releaseMessages(transaction, [held]);
    });
    assert.equal((await setup.effects(100)).get(held), "1");
    assert.ok(setup.retried.every(({ messageId }) => messageId === held));
    assert.ok(setup.retried.every(({ headers }) => headers["x-attempt"] === 0));
  });

  it("handles messages in smaller batches the more often they were delivered", async () => {
    for (const [returns, size] of [1, 2, 3, 4].map((count) => [count, [16, 4, 1, 1][count - 1]])) {
      const ids = await setup.publish(times(40, () => ({})));
      for (let nth = 0; nth < (returns ?? 0); nth += 1) await setup.returnAll(40);
      const sizes: number[] = [];
      await using _ = await setup.consume(async (transaction, batch) => {
        sizes.push(batch.length);
        return await countEffects(transaction, batch);
      });
      const effects = await setup.effects(40 * (returns ?? 0));
      assert.ok(ids.every((id) => effects.get(id) === "1"));
      assert.equal(Math.max(...sizes), size, `returned ${returns} times`);
    }
  });

  it("consumes nothing while the database is read-only, and resumes when it is writable", async () => {
    await using admin = await administer(setup.url);
    let failures = 0;
    const database: Database = {
      ...setup.database,
      transaction: (work) =>
        setup.database.transaction(work).catch((error) => {
          failures += 1;
          throw error;
        }),
    };
    {
      await using consuming = await setup.consume(countEffects, database);
      await admin.setReadOnly("on");
      const ids = await setup.publish(times(20, () => ({})));
      await eventually("it pauses", () => !consuming.consumer.consuming || undefined);
      const untilThen = failures;
      await eventually("it has asked twice", () => failures >= untilThen + 2 || undefined);
      assert.equal(consuming.consumer.consuming, false);
      assert.deepEqual(await setup.waiting(), { work: 20, dead: 0 });
      await admin.setReadOnly("off");
      assert.deepEqual(sorted(await setup.effects(20)), sorted(ones(ids)));
      assert.ok(consuming.deliveries.length <= 40, `${consuming.deliveries.length} deliveries`);
    }
    assert.deepEqual(setup.retried, []);
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("goes on consuming while the database has no free connection for it", async () => {
    const limits = { writeConnections: 1, connectTimeoutMs: 500 };
    await using busy = openChassisDatabase(setup.url, noFaults, limits);
    const free = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const held = busy.transaction(async () => {
      holding.resolve();
      await free.promise;
    });
    await holding.promise;
    {
      await using consuming = await setup.consume(countEffects, busy);
      const ids = await setup.publish(times(20, () => ({})));
      await eventually("all are set aside", () => setup.retried.length >= 20 || undefined);
      assert.equal(consuming.consumer.consuming, true);
      free.resolve();
      await held;
      assert.deepEqual(sorted(await setup.effects(20)), sorted(ones(ids)));
      await eventually(
        "all are settled",
        async () => (await setup.waiting()).work === 0 || undefined,
      );
    }
    assert.ok(setup.retried.every(({ headers }) => headers["x-attempt"] === 0));
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("stops soon and loses nothing while the database is unavailable", async () => {
    await setup.publish(times(200, () => ({})));
    await setup.returnAll(200);
    const proxy = await createProxy(setup.url);
    await proxy.stop();
    await using away = openChassisDatabase(proxy.url);
    const consuming = await setup.consume(countEffects, away);
    await eventually("all have come", () => consuming.deliveries.length >= 200 || undefined);
    assert.ok(consuming.deliveries.every(({ redelivered }) => redelivered));
    const startedMs = performance.now();
    await consuming[Symbol.asyncDispose]();
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < 5_000, `${tookMs} ms`);
    await eventually("all are back", async () => (await setup.waiting()).work === 200 || undefined);
    assert.deepEqual(await setup.waiting(), { work: 200, dead: 0 });
    assert.deepEqual(setup.retried, []);
  });
});

/** The administrator's hand on the database at `url`. */
async function administer(url: string) {
  const name = new URL(url).pathname.slice(1);
  const client = new Client({ connectionString: process.env.TEST_POSTGRES_URL });
  await client.connect();
  return {
    /** For every connection, also those that are open. */
    async setReadOnly(value: "on" | "off") {
      await client.query(
        `ALTER DATABASE ${escapeIdentifier(name)} SET default_transaction_read_only = ${value}`,
      );
      await client.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
        [name],
      );
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
