import type { DescMessage } from "@bufbuild/protobuf";
import { Refusal } from "@settle/proto-schemas/protos/complaints";
import type { Context } from "./context.ts";

/** Returns the message that carries several events; undefined if all travel alone. */
export function readBatchMessage(context: Context): DescMessage | undefined {
  const { batches } = context.base.events;
  if (batches === undefined) return undefined;
  const message = context.extensions.types.getMessage(batches.message);
  if (message) return message;
  throw new Refusal(
    `${context.baseFile}: events.batches names ${batches.message}, and no proto of this run or its ` +
      "imports defines such a message",
  );
}

/** Returns the routing keys of messages with `event`: alone and, if there are batches, in one. */
export function routingKeysOf(context: Context, event: DescMessage): readonly string[] {
  const { batches } = context.base.events;
  const { typeName } = event;
  return batches ? [typeName, batches.routingKey.replaceAll("{event}", typeName)] : [typeName];
}
