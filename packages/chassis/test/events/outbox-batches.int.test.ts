import assert from "node:assert/strict";
import { topologyOf } from "../../src/contract/topology.ts";
import { eventsIn } from "../../src/events/event-batch.ts";
import type { OutboxEvent } from "../../src/events/outbox.ts";
import { eventually } from "../../src/testing.ts";
import { type OutboxSetup, setupOutbox } from "./outbox-setup.ts";

const [sold, returned] = ["test.v1.Sold", "test.v1.Returned"] as const;

describe("an outbox whose events share messages", () => {
  let setup: OutboxSetup;
  /** For each message, its type, and the bodies of its events. */
  const received: { readonly type: string | undefined; readonly bodies: readonly string[] }[] = [];

  before(async () => {
    setup = await setupOutbox({
      events: {
        Sold: { to: ["receiver"], alsoTo: [] },
        Returned: { to: ["receiver"], alsoTo: [] },
      },
      listensTo: { receiver: [sold, returned] },
    });
    setup.broker.subscribe({
      queue: "receiver.work",
      prefetch: 100,
      onDelivery(delivery) {
        const events = eventsIn(delivery);
        assert.ok(typeof events !== "string", String(events));
        const bodies = events.map(({ body }) => body.toString()).toSorted();
        received.push({ type: delivery.type, bodies });
        delivery.ack();
      },
    });
  });
  after(() => setup?.[Symbol.asyncDispose]());
  beforeEach(() => {
    received.length = 0;
  });

  const some = (count: number, type: string): OutboxEvent[] =>
    Array.from({ length: count }, (_, nth) => setup.eventOf(`${type} ${nth}`, type));
  const bodiesOf = (events: readonly OutboxEvent[]) =>
    events.map(({ payload }) => Buffer.from(payload).toString()).toSorted();
  const all = () => received.flatMap(({ bodies }) => bodies);
  const sent = () => received.map(({ type, bodies }) => `${bodies.length} in ${type}`).toSorted();
  const emptied = () => eventually("the outbox is empty", setup.empty);
  const arrived = (count: number) =>
    eventually(`${count} events arrived`, () => all().length >= count || undefined);

  it("sends those of one write and one type together, and one alone as it is", async () => {
    await using outbox = setup.outboxOver(setup.broker.publisher, 1_000, { batches: "on" });
    await setup.write(outbox, [...some(3, sold), ...some(1, returned)]);
    await emptied();
    await arrived(4);
    assert.deepEqual(sent(), ["1 in test.v1.Returned", "3 in events.v1.EventBatch"]);
  });

  it("sends those that a sweep finds together", async () => {
    const events = some(200, sold);
    {
      await using early = setup.outboxOver(
        { ready: false, publish: async () => "unknown", onReady: () => () => {} },
        1_000,
        { batches: "on" },
      );
      await setup.write(early, events);
    }
    await setup.lapse();
    await using _ = setup.outboxOver(setup.broker.publisher, 1_000, { batches: "on" });
    await emptied();
    await arrived(200);
    assert.deepEqual(sent(), ["128 in events.v1.EventBatch", "72 in events.v1.EventBatch"]);
    assert.deepEqual(all().toSorted(), bodiesOf(events));
  });

  it("sends each alone as well, for listeners that read no batches", async () => {
    await using outbox = setup.outboxOver(setup.broker.publisher, 1_000, {
      batches: "with-singles",
    });
    const events = some(3, sold);
    await setup.write(outbox, [...events, ...some(1, returned)]);
    await emptied();
    await arrived(7);
    assert.deepEqual(sent(), [
      "1 in test.v1.Returned",
      "1 in test.v1.Sold",
      "1 in test.v1.Sold",
      "1 in test.v1.Sold",
      "3 in events.v1.EventBatch",
    ]);
  });

  it("sends each alone if that is set", async () => {
    await using outbox = setup.outboxOver(setup.broker.publisher);
    await setup.write(outbox, some(3, sold));
    await emptied();
    await arrived(3);
    assert.deepEqual(new Set(sent()), new Set(["1 in test.v1.Sold"]));
  });

  it("sends each alone where no queue is bound to batches", async () => {
    const { manage, vhost } = setup.testBroker;
    const path = `bindings/${vhost}/e/${topologyOf("sender").events}/q/receiver.work`;
    await manage("DELETE", `${path}/${sold}.batch`);
    await using outbox = setup.outboxOver(setup.broker.publisher, 1_000, { batches: "on" });
    await setup.write(outbox, some(3, sold));
    await emptied();
    await arrived(3);
    assert.deepEqual(new Set(sent()), new Set(["1 in test.v1.Sold"]));
    await setup.testBroker.restore();
  });
});
