import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { CheckedClock } from "../base/clock.ts";
import type { Delivery } from "../broker/broker.ts";
import { createValidation } from "../contract/validation.ts";
import { refusalOfId } from "./inbox.ts";

/** A message whose body is a valid event. */
export type Message<Schema extends DescMessage> = {
  /** The event's id, the same on every re-publish. */
  readonly id: string;
  readonly event: MessageShape<Schema>;
  readonly receiveTimeMs: number;
};

/** A message, and the delivery that brought it. */
export type Received<Schema extends DescMessage> = Message<Schema> & {
  readonly delivery: Delivery;
};

/** Returns how to decode and validate a delivery; that returns text if it can never be handled. */
export function createMessageReader<Schema extends DescMessage>(
  handled: readonly Schema[],
  clock: CheckedClock,
): (delivery: Delivery) => Received<Schema> | string {
  const schemas = new Map(handled.map((schema) => [schema.typeName, schema]));
  const validation = createValidation(schemas.values());
  return (delivery) => {
    const { messageId, type, body } = delivery;
    const schema = type === undefined ? undefined : schemas.get(type);
    if (!schema) return `type ${type ?? "(none)"} is not handled here`;
    const refusal = refusalOfId(messageId, clock);
    if (refusal !== undefined) return refusal;
    try {
      const event = fromBinary(schema, body);
      validation.check(schema, event);
      return { id: messageId ?? "", event, receiveTimeMs: clock.nowMs(), delivery };
    } catch (error) {
      if (error instanceof ConnectError)
        return `violates its validation rules: ${error.rawMessage}`;
      return `the body is not a valid ${schema.typeName}`;
    }
  };
}
