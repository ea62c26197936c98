import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import { DeadLetterSelectionSchema, DeadLetterState } from "@settle/gen/ops/v1/dead_letters_pb";
import { noFaults } from "../../src/base/faults.ts";
import { newId } from "../../src/base/new-id.ts";
import { createBroker } from "../../src/broker/broker.ts";
import { topologyOf } from "../../src/contract/topology.ts";
import type { MessageHandler } from "../../src/events/consumer.ts";
import { keepDeadLetters } from "../../src/events/dead-letters.ts";
import { createDeadLetterActions } from "../../src/ops/dead-letter-actions.ts";
import { eventually, testClock, testLog } from "../../src/testing.ts";
import { countEffects, eventOf, eventType, setupConsumer } from "../events/consumer-setup.ts";

type Handler = MessageHandler<typeof OrderCreatedEventSchema>;
const { OPEN, REDRIVEN, PARKED, DISCARDED } = DeadLetterState;
const service = "receiver";

describe("dead letters", () => {
  let setup: Awaited<ReturnType<typeof setupConsumer>>;
  beforeEach(async () => {
    setup = await setupConsumer();
  });
  afterEach(() => setup?.[Symbol.asyncDispose]());

  const keep = async (faults = noFaults) => {
    await using starting = new AsyncDisposableStack();
    const options = { url: setup.urlOf(service), name: "dead letters test", log: testLog };
    const broker = starting.use(createBroker(options));
    const { database } = setup;
    const schemas = [OrderCreatedEventSchema];
    const from = { service, schemas, broker, database, clock: testClock, newId, log: testLog };
    starting.use(keepDeadLetters({ ...from, faults }));
    return starting.move();
  };
  const actionsOf = (handle: Handler) =>
    createDeadLetterActions({
      database: setup.database,
      schemas: [OrderCreatedEventSchema],
      handle,
      clock: testClock,
      newId,
      log: testLog,
    });
  const actionNow = () => ({
    id: newId(),
    actor: "oncall",
    name: "RedriveDeadLetters",
    reason: "a test",
    timeMs: Date.now() + 1,
    request: {},
  });
  const select = (ids: readonly string[] = [], maxCount = 1_000) =>
    create(DeadLetterSelectionSchema, { ids: [...ids], maxCount });
  const lettersIn = (state: DeadLetterState) =>
    setup.database.read<{ id: string; reason: string; attempts: number; event_id: string }>(
      "SELECT id, reason, attempts, event_id FROM dead_letters WHERE state = $1 ORDER BY id",
      [state],
    );
  const stored = (count: number) =>
    eventually(`${count} dead letters are stored`, async () => {
      const rows = await setup.database.read("SELECT FROM dead_letters", []);
      return rows.length >= count || undefined;
    });
  const kill = async (count: number, body = eventOf("alice")) => {
    const ids = Array.from({ length: count }, () => newId());
    for (const messageId of ids) {
      setup.admin.publish(topologyOf(service).deadLetter, "", Buffer.from(body), {
        messageId,
        type: eventType,
        persistent: true,
        headers: { "x-reason": "failed: unknown", "x-attempt": 0, "x-dead-letter-id": newId() },
      });
    }
    await setup.admin.waitForConfirms();
    return ids;
  };
  const actions = () =>
    setup.database.read<{ changed_count: number; failed_count: number; actor: string }>(
      "SELECT actor, changed_count, failed_count FROM operator_actions ORDER BY id",
      [],
    );

  it("are redriven while as many arrive: none is lost, none takes effect twice", async () => {
    await using _ = await keep();
    const ids = await kill(1_000);
    await stored(1_000);
    const { redrive } = actionsOf(countEffects);
    const [first, second, more] = await Promise.all([
      redrive(select(), actionNow(), 0),
      redrive(select(), actionNow(), 0),
      kill(1_000),
    ]);
    await stored(2_000);
    await eventually("all are redriven", async () => {
      const { changedCount, failedCount } = await redrive(select(), actionNow(), 0);
      assert.equal(failedCount, 0);
      const open = await setup.database.query("SELECT FROM dead_letters WHERE state = 1", []);
      return (changedCount === 0 && open.length === 0) || undefined;
    });
    assert.ok(first.changedCount + second.changedCount >= 1);
    const effects = await setup.effects(2_000);
    assert.deepEqual([...effects.keys()].sort(), [...ids, ...more].sort());
    assert.deepEqual(new Set(effects.values()), new Set(["1"]));
    const counts = await actions();
    assert.equal(
      counts.reduce((sum, { changed_count: changed }) => sum + changed, 0),
      2_000,
    );
  });

  it("are stored once, though the process ends between storing and acknowledging", async () => {
    const crash = Promise.withResolvers<void>();
    {
      await using _ = await keep({
        reach(point) {
          if (point !== "dead-letters.before-ack") return;
          crash.resolve();
          throw new Error("stopped here");
        },
      });
      await kill(10);
      await crash.promise;
    }
    await using _ = await keep();
    await eventually("the queue is empty", async () =>
      (await setup.waiting()).dead === 0 ? true : undefined,
    );
    await kill(1);
    await stored(11);
    const letters = await lettersIn(OPEN);
    assert.deepEqual(new Set(letters.map(({ attempts }) => attempts)), new Set([1]));
    assert.equal(letters.length, 11);
  });

  it("that fail again stay one row with one more attempt, and harm no other", async () => {
    await using _ = await keep();
    await kill(5);
    const [bad = ""] = await kill(1, eventOf("poison"));
    await stored(6);
    const handle: Handler = async (transaction, messages) => {
      if (messages.some(({ event }) => event.userId === "poison")) throw new Error("again");
      return countEffects(transaction, messages);
    };
    const result = await actionsOf(handle).redrive(select(), actionNow(), 0);
    assert.deepEqual([result.changedCount, result.failedCount], [5, 1]);
    const [failed, ...others] = await lettersIn(OPEN);
    assert.deepEqual(others, []);
    assert.equal(failed?.event_id, bad);
    assert.equal(failed.attempts, 2);
    assert.equal(failed.reason, "failed: unknown");
    const repaired = await actionsOf(countEffects).redrive(select([failed.id]), actionNow(), 0);
    assert.equal(repaired.changedCount, 1);
    assert.equal((await lettersIn(REDRIVEN)).length, 6);
  });

  it("are parked and discarded, and each action is recorded with its counts", async () => {
    await using _ = await keep();
    await kill(3);
    await stored(3);
    const { park, discard, redrive } = actionsOf(countEffects);
    const [first, second] = await lettersIn(OPEN);
    assert.ok(first && second);
    await park(select([first.id]), actionNow());
    assert.deepEqual(await lettersIn(PARKED), [first]);
    await discard(select([first.id, second.id, newId()]), actionNow());
    await discard(select([first.id, second.id]), actionNow());
    assert.deepEqual(await lettersIn(DISCARDED), [first, second]);
    await redrive(select([first.id]), actionNow(), 0);
    assert.deepEqual(
      (await actions()).map(({ changed_count: changed, actor }) => [actor, changed]),
      [1, 2, 0, 0].map((changed) => ["oncall", changed]),
    );
    assert.equal((await lettersIn(OPEN)).length, 1);
  });

  it("without a usable id or body are kept as they are", async () => {
    await using _ = await keep();
    const { deadLetter } = topologyOf(service);
    setup.admin.publish(deadLetter, "", Buffer.from([0, 255]), { headers: { odd: "a\0b" } });
    await setup.admin.waitForConfirms();
    await stored(1);
    const [row] = await setup.database.read<{ body: Buffer; event_id: string; reason: string }>(
      "SELECT body, event_id, reason FROM dead_letters",
      [],
    );
    assert.deepEqual(row && [Buffer.from(row.body), row.event_id, row.reason], [
      Buffer.from([0, 255]),
      "",
      "unknown",
    ]);
    const { failedCount } = await actionsOf(countEffects).redrive(select(), actionNow(), 0);
    assert.equal(failedCount, 1);
  });
});
