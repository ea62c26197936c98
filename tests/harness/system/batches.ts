import { fromBinary } from "@bufbuild/protobuf";
import { newId } from "@settle/chassis/base/new-id";
import { packEvents } from "@settle/chassis/events/event-batch";
import { EventBatchSchema } from "@settle/gen/events/v1/event_batch_pb";
import type { Message } from "amqplib";

/** An event as published. */
export type Event = {
  readonly messageId: string | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
};

/** Returns the events of a message: one, or those of a batch. */
export function eventsOf({ properties, content }: Message): readonly Event[] {
  const { messageId, type, headers = {} } = properties;
  if (type !== EventBatchSchema.typeName) return [{ messageId, type, body: content, headers }];
  return fromBinary(EventBatchSchema, content).events.map((event) => {
    return { messageId: event.id, type: event.type, body: Buffer.from(event.payload), headers };
  });
}

/** Returns the messages of a relay that has all these events at hand: a batch for each type. */
export function batchesOf(events: readonly Event[]): readonly Event[] {
  return Array.from(Map.groupBy(events, ({ type }) => type).values(), ([first, ...others]) => {
    if (!first || others.length === 0) return first ?? [];
    const { type, body } = packEvents([outgoing(first), ...others.map(outgoing)], newId());
    return { messageId: newId(), type, body: Buffer.from(body), headers: {} };
  }).flat();
}

function outgoing({ messageId = "", type = "", body }: Event) {
  return { messageId, type, body, exchange: "", routingKey: type, timestampMs: Date.now() };
}
