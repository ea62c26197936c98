import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type EventBatch, EventBatchSchema } from "@settle/gen/events/v1/event_batch_pb";
import type { Delivery, OutgoingMessage } from "../broker/broker.ts";
import { batchKeyOf, partitionHeader } from "../contract/topology.ts";

/** The most events in a batch. */
export const maxBatchedEvents = 128;
const maxBatchBytes = 64 * 1024;
/** What an event takes in a batch, at most, besides its type and payload. */
const envelopeBytes = 80;

/**
 * Groups the messages of events by what can travel as one batch, in the order of their first: events
 * of one type and partition, at most 128 and 64 KiB of them. A larger event is alone in its group.
 */
export function groupEvents<Event extends { readonly message: OutgoingMessage }>(
  events: readonly Event[],
): readonly (readonly Event[])[] {
  const groups: Event[][] = [];
  const filling = new Map<string, { readonly group: Event[]; bytes: number }>();
  for (const event of events) {
    const { type, headers, body } = event.message;
    const key = `${type} ${headers?.[partitionHeader]}`;
    const bytes = envelopeBytes + type.length + body.length;
    let last = filling.get(key);
    if (!last || last.group.length >= maxBatchedEvents || last.bytes + bytes > maxBatchBytes) {
      last = { group: [], bytes: 0 };
      filling.set(key, last);
      groups.push(last.group);
    }
    last.group.push(event);
    last.bytes += bytes;
  }
  return groups;
}

/** Packs the events of one group into the message `id`, which is routed as they are. */
export function packEvents(
  events: readonly [OutgoingMessage, ...OutgoingMessage[]],
  id: string,
): OutgoingMessage {
  const batch = create(EventBatchSchema, {
    events: events.map(({ messageId, type, timestampMs, body }) => ({
      id: messageId,
      type,
      createTime: timestampFromMs(timestampMs),
      payload: body,
    })),
  });
  const [first] = events;
  return {
    ...first,
    routingKey: batchKeyOf(first.type),
    messageId: id,
    type: EventBatchSchema.typeName,
    body: toBinary(EventBatchSchema, batch),
  };
}

/**
 * Returns a delivery for each event in the message; that of an event alone is the message itself.
 * The message is acknowledged once all its events are. Returns text if it can never be handled.
 */
export function eventsIn(delivery: Delivery): readonly Delivery[] | string {
  if (delivery.type !== EventBatchSchema.typeName) return [delivery];
  let batch: EventBatch;
  try {
    batch = fromBinary(EventBatchSchema, delivery.body);
  } catch {
    return `the body is not a valid ${EventBatchSchema.typeName}`;
  }
  const { events } = batch;
  if (events.length === 0) return "the batch has no events";
  let unsettled = events.length;
  return events.map(({ id, type, createTime, payload }) => {
    let settled = false;
    return {
      messageId: id,
      type,
      body: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
      headers: delivery.headers,
      redelivered: delivery.redelivered,
      timestampMs: createTime && timestampMs(createTime),
      ack() {
        if (settled) return;
        settled = true;
        unsettled -= 1;
        if (unsettled === 0) delivery.ack();
      },
      requeue: delivery.requeue,
    };
  });
}
