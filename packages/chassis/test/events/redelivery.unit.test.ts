import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/new-id.ts";
import type { Delivery, OutgoingMessage } from "../../src/broker/broker.ts";
import { laneOf } from "../../src/events/delivery-lanes.ts";
import { createRedelivery } from "../../src/events/redelivery.ts";
import { testLog } from "../../src/testing.ts";

describe("redelivery", () => {
  const setup = () => {
    const published: OutgoingMessage[] = [];
    let nowMs = 0;
    let acks = 0;
    const redelivery = createRedelivery({
      newId,
      service: "receiver",
      publisher: {
        ready: true,
        onReady: () => () => {},
        async publish(message) {
          published.push(message);
          return "confirmed";
        },
      },
      count: () => {},
      signal: new AbortController().signal,
      clock: { ...systemClock, monotonicMs: () => nowMs },
      log: testLog,
    });
    const delivery = (headers: Record<string, unknown> = {}): Delivery => ({
      messageId: "id",
      type: "type",
      body: Buffer.from("body"),
      headers,
      redelivered: false,
      timestampMs: 1,
      ack() {
        acks += 1;
      },
      requeue: () => assert.fail("it is not requeued"),
    });
    return {
      ...redelivery,
      delivery,
      published,
      acks: () => acks,
      pass(ms: number) {
        nowMs += ms;
      },
    };
  };

  it("bounds what it sets aside for one user in a second, and counts no attempt", async () => {
    const { setAside, delivery, published, acks, pass } = setup();
    const aside = async (user: string, count: number) => {
      const before = published.length;
      for (let nth = 0; nth < count; nth += 1) await setAside(delivery({ "x-attempt": 3 }), user);
      const labels = published.slice(before).map(({ routingKey }) => routingKey);
      return Object.fromEntries(
        ["1s", "10s", "60s"].map((label) => [label, labels.filter((one) => one === label).length]),
      );
    };
    assert.deepEqual(await aside("busy", 1_000), { "1s": 50, "10s": 150, "60s": 800 });
    assert.deepEqual(await aside("other", 20), { "1s": 20, "10s": 0, "60s": 0 });
    pass(1_000);
    assert.deepEqual(await aside("busy", 60), { "1s": 50, "10s": 10, "60s": 0 });
    assert.equal(acks(), 1_080);
    assert.ok(published.every(({ headers }) => headers?.["x-attempt"] === 3));
  });

  it("reads the number of deliveries from what each version of RabbitMQ tells", () => {
    const cases: readonly (readonly [boolean, Record<string, unknown>, number])[] = [
      [false, {}, 0],
      [false, { "x-delivery-count": 0 }, 0],
      [true, {}, 1],
      [true, { "x-delivery-count": 2 }, 2],
      // 4.3: only one return looked like a failure.
      [true, { "x-delivery-count": 1, "x-acquired-count": 3 }, 3],
      [true, { "x-acquired-count": 90 }, 3],
      [true, { "x-delivery-count": "many" }, 1],
    ];
    for (const [redelivered, headers, lane] of cases) {
      assert.equal(laneOf({ redelivered, headers }), lane, JSON.stringify(headers));
    }
  });
});
