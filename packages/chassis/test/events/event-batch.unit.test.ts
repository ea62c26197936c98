import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { EventBatchSchema } from "@settle/gen/events/v1/event_batch_pb";
import { newId } from "../../src/base/new-id.ts";
import type { Delivery, OutgoingMessage } from "../../src/broker/broker.ts";
import { partitionHeader } from "../../src/contract/topology.ts";
import { eventsIn, groupEvents, packEvents } from "../../src/events/event-batch.ts";

const messageOf = (changes: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  exchange: "shop.events",
  routingKey: "test.v1.Sold",
  type: "test.v1.Sold",
  messageId: newId(),
  body: Buffer.from("sold"),
  timestampMs: 1_700_000_000_123,
  headers: { [partitionHeader]: 0 },
  isMandatory: true,
  ...changes,
});

function deliveryOf(changes: Partial<Delivery>) {
  const settled: string[] = [];
  const delivery: Delivery = {
    messageId: newId(),
    type: EventBatchSchema.typeName,
    body: Buffer.alloc(0),
    headers: {},
    redelivered: false,
    timestampMs: 0,
    ack: () => settled.push("ack"),
    requeue: () => settled.push("requeue"),
    ...changes,
  };
  return { delivery, settled };
}

describe("a batch of events", () => {
  const sizesOf = (messages: readonly OutgoingMessage[]) =>
    groupEvents(messages.map((message) => ({ message }))).map(({ length }) => length);

  it("has events of one type and one partition, in their order", () => {
    const messages = [
      messageOf({ messageId: "1" }),
      messageOf({ messageId: "2", type: "test.v1.Returned" }),
      messageOf({ messageId: "3", headers: { [partitionHeader]: 1 } }),
      messageOf({ messageId: "4" }),
      messageOf({ messageId: "5", type: "test.v1.Returned" }),
    ];
    assert.deepEqual(
      groupEvents(messages.map((message) => ({ message }))).map((group) =>
        group.map(({ message }) => message.messageId),
      ),
      [["1", "4"], ["2", "5"], ["3"]],
    );
    assert.deepEqual(groupEvents([]), []);
  });

  it("has at most 128 events and 64 KiB, unless a single event is larger", () => {
    const some = (count: number, bytes: number) =>
      Array.from({ length: count }, () => messageOf({ body: Buffer.alloc(bytes) }));
    assert.deepEqual(sizesOf(some(300, 10)), [128, 128, 44]);
    assert.deepEqual(sizesOf(some(3, 70_000)), [1, 1, 1]);
    const large = some(100, 1_000);
    const groups = groupEvents(large.map((message) => ({ message })));
    assert.equal(groups.length, 2);
    for (const [first, ...others] of groups) {
      assert.ok(first);
      const packed = packEvents([first.message, ...others.map(({ message }) => message)], newId());
      assert.ok(packed.body.length <= 64 * 1024, `${packed.body.length} bytes`);
    }
  });

  it("is taken apart into the events that were packed", () => {
    const [first, second] = [messageOf(), messageOf({ body: Buffer.from("sold again") })];
    const packed = packEvents([first, second], newId());
    assert.equal(packed.routingKey, "test.v1.Sold.batch");
    assert.equal(packed.type, "events.v1.EventBatch");
    assert.deepEqual(
      [packed.exchange, packed.headers, packed.isMandatory],
      [first.exchange, first.headers, true],
    );
    const { delivery, settled } = deliveryOf({
      body: Buffer.from(packed.body),
      headers: { "x-partition": 0 },
      redelivered: true,
    });
    const events = eventsIn(delivery);
    assert.ok(typeof events !== "string");
    assert.deepEqual(
      events.map(({ messageId, type, body, headers, redelivered, timestampMs }) => {
        return { messageId, type, body, headers, redelivered, timestampMs };
      }),
      [first, second].map(({ messageId, type, body, timestampMs }) => {
        const given = { headers: { "x-partition": 0 }, redelivered: true };
        return { messageId, type, body: Buffer.from(body), timestampMs, ...given };
      }),
    );
    events[1]?.ack();
    events[1]?.ack();
    assert.deepEqual(settled, [], "the first event is not settled");
    events[0]?.ack();
    assert.deepEqual(settled, ["ack"]);
  });

  it("is refused if nothing can be read in it; an event alone stays as it is", () => {
    assert.match(String(eventsIn(deliveryOf({ body: Buffer.from("x") }).delivery)), /not a valid/);
    const empty = Buffer.from(toBinary(EventBatchSchema, create(EventBatchSchema)));
    assert.match(String(eventsIn(deliveryOf({ body: empty }).delivery)), /has no events/);
    const { delivery } = deliveryOf({ type: "test.v1.Sold" });
    assert.deepEqual(eventsIn(delivery), [delivery]);
  });
});
