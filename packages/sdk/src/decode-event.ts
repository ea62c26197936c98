import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  EventBatchSchema,
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen-sdk/messages";

const contentType = "application/x-protobuf";
const schemas = [
  OrderCreatedEventSchema,
  OrderCancelledEventSchema,
  PaymentResultEventSchema,
  PaymentRefundedEventSchema,
] as const;

/**
 * Any event that Settle publishes; `$typeName` is its type, such as `events.v1.OrderCreatedEvent`.
 */
export type SettleEvent = MessageShape<(typeof schemas)[number]>;

/** The parts of a RabbitMQ message that are read, as amqplib delivers it. */
export type EventDelivery = {
  readonly content: Uint8Array;
  readonly properties: {
    readonly type?: unknown;
    readonly messageId?: unknown;
    readonly contentType?: unknown;
  };
};

/** A message is not an event that this SDK can decode. */
export class EventRefusedError extends Error {
  override readonly name = "EventRefusedError";
  /**
   * `unknown-type`: not an event that this version of the SDK knows; a newer one may know it.
   * `malformed`: the content does not match the type, or the message has no id.
   */
  readonly why: "unknown-type" | "malformed";
  /** The type and the id of the message, if it has them. */
  readonly type: string;
  readonly messageId: string;

  constructor(
    why: EventRefusedError["why"],
    properties: EventDelivery["properties"],
    text: string,
  ) {
    const type = textOf(properties.type);
    const messageId = textOf(properties.messageId);
    super(`message "${messageId}" of type "${type}" ${text}`);
    this.why = why;
    this.type = type;
    this.messageId = messageId;
  }
}

/** An event and its id, which stays the same when the event is published again. */
export type DecodedEvent = { readonly id: string; readonly event: SettleEvent };

/**
 * Decodes the events of a message that amqplib delivers: one, or several that share it. A consumer
 * should process each id once, and acknowledge the message after all its events. Throws an
 * {@link EventRefusedError} if the message is not an event, or a batch of events, of a known type.
 */
export function decodeEvents(delivery: EventDelivery): readonly DecodedEvent[] {
  const { properties } = delivery;
  if (properties.type !== EventBatchSchema.typeName) return [decodeEvent(delivery)];
  const { events } = decode(EventBatchSchema, delivery);
  if (events.length === 0) throw new EventRefusedError("malformed", properties, "has no events");
  return events.map(({ id, type, payload }) =>
    decodeEvent({ content: payload, properties: { type, messageId: id, contentType } }),
  );
}

/**
 * Decodes an event and its id from a message that amqplib delivers, which has to be of an event
 * alone; {@link decodeEvents} decodes batches as well. A consumer should process each id once. Throws
 * an {@link EventRefusedError} if the message is not an event of a known type.
 */
export function decodeEvent(delivery: EventDelivery): DecodedEvent {
  const { properties } = delivery;
  const schema = schemas.find(({ typeName }) => typeName === properties.type);
  if (!schema) throw new EventRefusedError("unknown-type", properties, "is not a known event");
  const event = decode<DescMessage>(schema, delivery) as SettleEvent;
  const id = textOf(properties.messageId);
  if (id === "") throw new EventRefusedError("malformed", properties, "has no id");
  return { id, event };
}

function decode<Schema extends DescMessage>(
  schema: Schema,
  { content, properties }: EventDelivery,
): MessageShape<Schema> {
  if (properties.contentType !== contentType) {
    const text = `is of content type "${textOf(properties.contentType)}", not ${contentType}`;
    throw new EventRefusedError("malformed", properties, text);
  }
  try {
    return fromBinary(schema, content);
  } catch {
    throw new EventRefusedError("malformed", properties, "cannot be decoded as one");
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
