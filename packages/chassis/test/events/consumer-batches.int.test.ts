import assert from "node:assert/strict";
import { newId } from "../../src/base/new-id.ts";
import { packEvents } from "../../src/events/event-batch.ts";
import { eventually } from "../../src/testing.ts";
import { countEffects, eventOf, eventType, type Sent, setupConsumer } from "./consumer-setup.ts";

const nothing = { work: 0, dead: 0 };

describe("a consumer of batches", () => {
  let setup: Awaited<ReturnType<typeof setupConsumer>>;
  beforeEach(async () => {
    setup = await setupConsumer();
  });
  afterEach(() => setup?.[Symbol.asyncDispose]());

  type Packed = { readonly id: string; readonly userId?: string; readonly type?: string };
  /** A message with these events; those without a user are alice's. */
  const batchOf = (events: readonly Packed[]): Sent => {
    const [first, ...others] = events.map(({ id, userId = "alice", type = eventType }) => ({
      exchange: "",
      routingKey: "",
      messageId: id,
      type,
      body: eventOf(userId),
      timestampMs: Date.now(),
    }));
    assert.ok(first);
    const { type, body } = packEvents([first, ...others], newId());
    // The id of the message means nothing, so here it has none.
    return { messageId: undefined, type, body };
  };
  const someIds = (count: number) => Array.from({ length: count }, () => newId());
  const ones = (ids: readonly string[]) => new Map(ids.toSorted().map((id) => [id, "1"]));
  const effects = async (count: number) =>
    new Map([...(await setup.effects(count))].toSorted(([a], [b]) => (a < b ? -1 : 1)));

  it("handles each event once, in whatever message it comes again", async () => {
    const ids = someIds(100);
    const events = ids.map((id) => ({ id }));
    const [first = "", second = ""] = ids;
    {
      await using _ = await setup.consume(countEffects);
      await setup.publish([
        batchOf(events),
        batchOf(events.toReversed()),
        batchOf([{ id: first }, { id: first }, { id: second }]),
        { messageId: second },
      ]);
      const alone = await setup.publish([{}]);
      assert.deepEqual(await effects(101), ones([...ids, ...alone]));
      await eventually("all is taken", async () => (await setup.waiting()).work === 0 || undefined);
    }
    assert.deepEqual(await setup.waiting(), nothing);
    assert.deepEqual(setup.retried, []);
  });

  it("moves those that can never be handled to the dead letters, alone", async () => {
    const [good = "", refused = "", unknown = "", last = ""] = someIds(4);
    {
      await using _ = await setup.consume(async (transaction, messages) => {
        await countEffects(transaction, messages);
        if (messages.some(({ event }) => event.userId === "poison")) {
          await transaction.query("INSERT INTO effects VALUES ('poison', NULL)", []);
        }
        return { tooEarly: [] };
      });
      await setup.publish([
        batchOf([
          { id: good },
          { id: refused, userId: "poison" },
          { id: unknown, type: "events.v1.Other" },
          { id: "not a uuid" },
          { id: last },
        ]),
        { type: "events.v1.EventBatch", body: Buffer.from("garbage") },
        { type: "events.v1.EventBatch", body: Buffer.alloc(0) },
      ]);
      assert.deepEqual(await effects(2), ones([good, last]));
      const dead = (await setup.deadLetters(5)).map(
        ({ properties: { messageId, type, headers } }) => {
          return [type, messageId, String(headers?.["x-reason"])];
        },
      );
      const reasonOf = (id: string) => dead.find(([, messageId]) => messageId === id)?.[2] ?? "";
      assert.equal(reasonOf(refused), "failed: refused");
      assert.match(reasonOf(unknown), /^type events\.v1\.Other is not handled here/);
      assert.match(reasonOf("not a uuid"), /is not a UUIDv7/);
      const whole = dead.filter(([type]) => type === "events.v1.EventBatch");
      assert.deepEqual(whole.map(([, , reason]) => reason).toSorted(), [
        "the batch has no events",
        "the body is not a valid events.v1.EventBatch",
      ]);
      await eventually(
        "all is settled",
        async () => (await setup.waiting()).work === 0 || undefined,
      );
    }
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("retries those that come too early, alone and under their own ids", async () => {
    const ids = someIds(20);
    const early = new Set(ids.slice(0, 3));
    {
      await using _ = await setup.consume(async (transaction, messages) => {
        const tooEarly = messages.flatMap(({ id }) => (early.delete(id) ? [id] : []));
        const rest = messages.filter(({ id }) => !tooEarly.includes(id));
        if (rest.length > 0) await countEffects(transaction, rest);
        return { tooEarly };
      });
      await setup.publish([batchOf(ids.map((id) => ({ id })))]);
      assert.deepEqual(await effects(20), ones(ids));
    }
    assert.deepEqual(
      setup.retried.map(({ messageId }) => messageId).toSorted(),
      ids.slice(0, 3).toSorted(),
    );
    assert.deepEqual(await setup.waiting(), nothing);
  });

  it("takes a batch apart that keeps coming back, so that each event has its own deliveries", async () => {
    // More of one user than are set aside for a second.
    const ids = someIds(100);
    await setup.publish([batchOf(ids.map((id) => ({ id })))]);
    for (let delivery = 0; delivery < 3; delivery += 1) await setup.returnAll(1);
    {
      await using _ = await setup.consume(countEffects);
      assert.deepEqual(await effects(100), ones(ids));
    }
    assert.deepEqual(setup.retried.map(({ messageId }) => messageId).toSorted(), ids.toSorted());
    // It was not their fault.
    assert.deepEqual(
      new Set(setup.retried.map(({ headers }) => headers["x-attempt"])),
      new Set([0]),
    );
    assert.deepEqual(await setup.waiting(), nothing);
  });
});
