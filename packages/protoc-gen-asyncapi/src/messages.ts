import type { DescMessage } from "@bufbuild/protobuf";
import { type JsonObject, withoutEmpty } from "@settle/proto-schemas/json/json-schema";
import { jsonExamples } from "@settle/proto-schemas/schemas/examples";
import type { Context } from "./context.ts";

/**
 * Returns the message object of an event that `from` sends, or of a batch, which all send. The message body is the binary form of the protobuf
 * message that `x-protobuf` names; `payload` is a schema of its JSON form.
 */
export function eventMessage(
  context: Context,
  { message, from }: { readonly message: DescMessage; readonly from: string | undefined },
  payload: JsonObject,
): JsonObject {
  const { contentType, properties, headers } = context.base.events;
  const { typeName, name, file } = message;
  const comment = context.source.comment(message);
  return withoutEmpty({
    name: typeName,
    title: name,
    summary: comment.summary || undefined,
    description: comment.rest || undefined,
    contentType,
    tags: from === undefined ? undefined : [{ name: from }],
    "x-protobuf": { message: typeName, file: file.proto.name },
    "x-amqp-properties": {
      type: "object",
      ...properties,
      properties: {
        ...properties.properties,
        type: { const: typeName, description: "The full name of the protobuf message." },
        content_type: { const: contentType },
      },
      required: [...properties.required, "type", "content_type"],
    },
    headers,
    payload,
    examples: jsonExamples(comment.examples).map((example) => ({ payload: example })),
    bindings: { amqp: { messageType: typeName, bindingVersion: "0.3.0" } },
  });
}
