import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { EventBatchSchema } from "@settle/gen/events/v1/event_batch_pb";
import {
  file_events_v1_events,
  OrderCreatedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { decodeEvent, decodeEvents, EventRefusedError, PaymentOutcome } from "@settle/sdk";

const messageId = "01890000-0000-7000-8000-000000000000";
const contentType = "application/x-protobuf";
const created = create(OrderCreatedEventSchema, {
  orderId: messageId,
  userId: "alice",
  amount: { minorUnits: 250n, currency: "EUR" },
});
const content = Buffer.from(toBinary(OrderCreatedEventSchema, created));

describe("decodeEvent", () => {
  it("decodes an event and its id by the type in the message", () => {
    const type = OrderCreatedEventSchema.typeName;
    const { id, event } = decodeEvent({ content, properties: { type, messageId, contentType } });
    assert.equal(id, messageId);
    assert.ok(event.$typeName === "events.v1.OrderCreatedEvent");
    assert.equal(event.amount?.minorUnits, 250n);

    const result = create(PaymentResultEventSchema, { outcome: PaymentOutcome.PAID });
    const decoded = decodeEvent({
      content: toBinary(PaymentResultEventSchema, result),
      properties: { type: PaymentResultEventSchema.typeName, messageId, contentType },
    });
    assert.ok(decoded.event.$typeName === "events.v1.PaymentResultEvent");
    assert.equal(decoded.event.outcome, PaymentOutcome.PAID);
  });

  it("knows every event of the contract", () => {
    for (const { typeName: type } of file_events_v1_events.messages) {
      const properties = { type, messageId, contentType };
      assert.equal(decodeEvent({ content: new Uint8Array(), properties }).event.$typeName, type);
    }
  });

  const refusalOf = (
    properties: Parameters<typeof decodeEvent>[0]["properties"],
    bytes: Uint8Array = content,
  ) => {
    try {
      decodeEvent({ content: bytes, properties });
    } catch (error) {
      assert.ok(error instanceof EventRefusedError, String(error));
      return error;
    }
    throw new Error("not refused");
  };

  it("rejects an unknown type, and names it", () => {
    const error = refusalOf({ type: "events.v2.OrderShippedEvent", messageId, contentType });
    assert.equal(error.why, "unknown-type");
    assert.equal(error.type, "events.v2.OrderShippedEvent");
    assert.equal(error.messageId, messageId);
    assert.match(error.message, /events\.v2\.OrderShippedEvent.*is not a known event/);
    assert.equal(refusalOf({ messageId, contentType }).why, "unknown-type");
    assert.equal(refusalOf({ type: "money.v1.Money", messageId, contentType }).why, "unknown-type");
  });

  it("rejects a malformed message", () => {
    const type = OrderCreatedEventSchema.typeName;
    const json = refusalOf({ type, messageId, contentType: "application/json" });
    assert.match(json.message, /application\/json/);
    assert.match(refusalOf({ type, contentType }).message, /has no id/);
    const cut = refusalOf({ type, messageId, contentType }, content.subarray(0, -1));
    for (const { why } of [json, cut]) assert.equal(why, "malformed");
  });
});

describe("decodeEvents", () => {
  const type = OrderCreatedEventSchema.typeName;
  const batchOf = (events: readonly { id: string; type: string; payload: Uint8Array }[]) => ({
    content: toBinary(EventBatchSchema, create(EventBatchSchema, { events: [...events] })),
    properties: { type: EventBatchSchema.typeName, contentType },
  });
  const other = "01890000-0000-7000-8000-000000000001";
  const events = [messageId, other].map((id) => ({ id, type, payload: content }));

  it("decodes an event alone as decodeEvent does", () => {
    const delivery = { content, properties: { type, messageId, contentType } };
    assert.deepEqual(decodeEvents(delivery), [decodeEvent(delivery)]);
    assert.throws(() => decodeEvents({ content, properties: { type } }), EventRefusedError);
  });

  it("decodes the events of a batch, each with its own id", () => {
    const decoded = decodeEvents(batchOf(events));
    assert.deepEqual(
      decoded.map(({ id }) => id),
      [messageId, other],
    );
    for (const { event } of decoded) {
      assert.ok(event.$typeName === type);
      assert.equal(event.amount?.minorUnits, 250n);
    }
  });

  it("rejects a batch of which it cannot decode all", () => {
    const whyOf = (delivery: Parameters<typeof decodeEvents>[0]) => {
      try {
        decodeEvents(delivery);
      } catch (error) {
        assert.ok(error instanceof EventRefusedError, String(error));
        return `${error.why}: ${error.messageId}`;
      }
      throw new Error("not refused");
    };
    const [first] = events;
    assert.ok(first);
    assert.equal(whyOf(batchOf([])), "malformed: ");
    assert.equal(whyOf({ ...batchOf(events), content: Buffer.from("x") }), "malformed: ");
    const newer = { ...first, id: other, type: "events.v2.OrderShippedEvent" };
    assert.equal(whyOf(batchOf([first, newer])), `unknown-type: ${other}`);
    const cut = { ...first, id: other, payload: content.subarray(0, -1) };
    assert.equal(whyOf(batchOf([first, cut])), `malformed: ${other}`);
  });
});
