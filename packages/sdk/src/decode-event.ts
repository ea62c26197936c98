import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
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

/**
 * Decodes an event and its id from a message that amqplib delivers. The id stays the same when the
 * event is published again: a consumer should process each id once. Throws an
 * {@link EventRefusedError} if the message is not an event of a known type.
 */
export function decodeEvent({ content, properties }: EventDelivery): {
  readonly id: string;
  readonly event: SettleEvent;
} {
  const schema: DescMessage | undefined = schemas.find(
    ({ typeName }) => typeName === properties.type,
  );
  if (!schema) throw new EventRefusedError("unknown-type", properties, "is not a known event");
  if (properties.contentType !== contentType) {
    const text = `is of content type "${textOf(properties.contentType)}", not ${contentType}`;
    throw new EventRefusedError("malformed", properties, text);
  }
  const id = textOf(properties.messageId);
  if (id === "") throw new EventRefusedError("malformed", properties, "has no id");
  try {
    return { id, event: fromBinary(schema, content) as SettleEvent };
  } catch {
    throw new EventRefusedError("malformed", properties, `cannot be decoded as one`);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
