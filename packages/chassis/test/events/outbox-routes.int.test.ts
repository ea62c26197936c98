import assert from "node:assert/strict";
import type { Publisher } from "../../src/broker/broker.ts";
import { topologyOf } from "../../src/contract/topology.ts";
import type { OutboxEvent } from "../../src/events/outbox.ts";
import { eventually, limitQueue } from "../../src/testing.ts";
import { away, type OutboxSetup, setupOutbox } from "./outbox-setup.ts";

const held = "test.v1.Held";
const archived = "test.v1.Archived";

describe("outbox and the routes of its events", () => {
  let setup: OutboxSetup;

  before(async () => {
    setup = await setupOutbox({
      events: {
        Held: { to: ["slow"], alsoTo: ["archive"] },
        Archived: { to: [], alsoTo: ["archive"] },
        Unheard: { to: [], alsoTo: ["archive"] },
      },
      listensTo: { slow: [held], archive: [held, archived] },
      notWaitedFor: ["archive"],
    });
  });
  after(() => setup?.[Symbol.asyncDispose]());

  /** The broker's publisher, which notes in `outcomes` what became of each publish. */
  const noting = (outcomes: string[]): Publisher => {
    const { publisher } = setup.broker;
    return {
      get ready() {
        return publisher.ready;
      },
      async publish(message) {
        const outcome = await publisher.publish(message);
        outcomes.push(outcome);
        return outcome;
      },
      onReady: publisher.onReady,
    };
  };

  it("is done with an event for which nobody is waited, also when no queue takes it", async () => {
    const events = [
      setup.eventOf("unheard", "test.v1.Unheard"),
      setup.eventOf("again", "test.v1.Unheard"),
    ];
    const [fromMemory, fromTable] = events as [OutboxEvent, OutboxEvent];
    {
      await using dead = setup.outboxOver(away);
      await setup.write(dead, [fromTable]);
    }
    await using outbox = setup.outboxOver(setup.broker.publisher);
    await setup.write(outbox, [fromMemory]);
    await eventually("only what another process claims is left", async () =>
      (await setup.waiting()).length === 1 ? true : undefined,
    );
    await setup.lapse();
    await eventually("the outbox is empty", setup.empty);
  });

  it("keeps an event that another version of the service wrote and no queue takes", async () => {
    const outcomes: string[] = [];
    await using outbox = setup.outboxOver(noting(outcomes));
    await setup.database.query(
      `INSERT INTO outbox
       VALUES (gen_random_uuid(), 'test.v2.Newer', '', now(), now() - interval '1 second')`,
      [],
    );
    await outbox.sweepOnce();
    await eventually("it came back", () => outcomes.includes("returned") || undefined);
    assert.equal((await setup.waiting()).length, 1);
    await setup.database.query("DELETE FROM outbox", []);
  });

  it("refuses to write an event that its service does not publish", async () => {
    await using outbox = setup.outboxOver(setup.broker.publisher);
    const events = [setup.eventOf("ours", held), setup.eventOf("not ours", "test.v1.Foreign")];
    await assert.rejects(setup.write(outbox, events), /test\.v1\.Foreign is not among the events/);
    assert.deepEqual(await setup.waiting(), []);
  });

  it("waits for the full queue of a service in `to`, and not for one in `alsoTo`", async () => {
    for (const service of ["slow", "archive"]) {
      await limitQueue(setup.testBroker, topologyOf(service).work, 1);
    }
    const outcomes: string[] = [];
    await using outbox = setup.outboxOver(noting(outcomes));
    const writeAll = async (type: string) => {
      const before = outcomes.length;
      for (let sent = 1; sent <= 10; sent += 1) {
        await setup.write(outbox, [setup.eventOf(`${sent}`, type)]);
        await eventually(
          "it has its outcome",
          () => outcomes.length === before + sent || undefined,
        );
      }
      return new Set(outcomes.slice(before));
    };
    assert.deepEqual(await writeAll(archived), new Set(["confirmed"]));
    await eventually("the outbox is empty", setup.empty);
    assert.deepEqual(await writeAll(held), new Set(["confirmed", "nacked"]));
    await eventually("what was refused is left", async () =>
      (await setup.waiting()).length === outcomes.filter((outcome) => outcome === "nacked").length
        ? true
        : undefined,
    );
    await setup.database.query("DELETE FROM outbox", []);
  });
});
