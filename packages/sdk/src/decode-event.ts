import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/sdk/messages";

const contentType = "application/x-protobuf";
const schemas = [
  OrderCreatedEventSchema,
  OrderCancelledEventSchema,
  PaymentResultEventSchema,
  PaymentRefundedEventSchema,
] as const;

/** Any event that Settle publishes; `$typeName` says which, `events.v1.OrderCreatedEvent` and so on. */
export type SettleEvent = MessageShape<(typeof schemas)[number]>;

/** What is read of a message of RabbitMQ, as amqplib delivers it. */
export type EventDelivery = {
  readonly content: Uint8Array;
  readonly properties: {
    readonly type?: unknown;
    readonly messageId?: unknown;
    readonly contentType?: unknown;
  };
};

/** A message is no event that this SDK can read. */
export class EventRefusedError extends Error {
  override readonly name = "EventRefusedError";
  /**
   * `unknown-type`: nothing that Settle publishes, as far as this SDK knows; a newer one may.
   * `malformed`: not what its type says, or without an id.
   */
  readonly why: "unknown-type" | "malformed";
  /** The message's type and id, as far as it has them. */
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
 * Reads an event and its id out of what amqplib delivers. The id survives every re-publish: whoever
 * acts on events should do so once per id. Throws an {@link EventRefusedError} for what is no event
 * of a known type.
 */
export function decodeEvent({ content, properties }: EventDelivery): {
  readonly id: string;
  readonly event: SettleEvent;
} {
  const schema: DescMessage | undefined = schemas.find(
    ({ typeName }) => typeName === properties.type,
  );
  if (!schema) throw new EventRefusedError("unknown-type", properties, "is no known event");
  if (properties.contentType !== contentType) {
    const text = `is of content type "${textOf(properties.contentType)}", not ${contentType}`;
    throw new EventRefusedError("malformed", properties, text);
  }
  const id = textOf(properties.messageId);
  if (id === "") throw new EventRefusedError("malformed", properties, "has no id");
  try {
    return { id, event: fromBinary(schema, content) as SettleEvent };
  } catch {
    throw new EventRefusedError("malformed", properties, `cannot be read as one`);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
