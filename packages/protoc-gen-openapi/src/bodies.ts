import type { DescMessage } from "@bufbuild/protobuf";
import type { JsonObject } from "@settle/proto-schemas/json/json-schema";
import { httpBody, wellKnownForm } from "@settle/proto-schemas/json/well-known";
import { fieldSchema, isRequiredInRequest, type Refer } from "@settle/proto-schemas/schemas/fields";
import {
  type FieldPath,
  hasOwnSchema,
  isHidden,
  isRequiredBeside,
  messageSchema,
} from "@settle/proto-schemas/schemas/messages";
import type { Context } from "./context.ts";
import type { Binding } from "./http-rules.ts";
import type { StreamFraming } from "./options.ts";

/**
 * Returns the body of a request; undefined if there is none, or if the path leaves no field for it:
 * an optional body that can only be `{}` would be a parameter without use.
 */
export function requestBody(
  context: Context,
  binding: Binding,
  refer: Refer,
): JsonObject | undefined {
  const { body, method } = binding;
  if (body === undefined) return undefined;
  const inPath = binding.saidByPath;
  if (body === "*") {
    if (method.input.typeName === httpBody) return { content: anyContent };
    if (!isClientStream(binding) && isEmptyBeside(method.input, inPath)) return undefined;
    const schema = wholeBody(context, method.input, inPath, refer);
    const needed = method.input.fields.some((field) =>
      isRequiredBeside(context, field, "request", inPath),
    );
    return {
      required: needed || undefined,
      content: json(isClientStream(binding) ? { type: "array", items: schema } : schema),
    };
  }
  if (body.message?.typeName === httpBody) return { content: anyContent };
  if (isHidden(body, inPath)) return undefined;
  const inside = inPath.flatMap((path) => (path[0] === body ? [path.slice(1)] : []));
  const schema =
    inside.length > 0 && body.fieldKind === "message" && hasOwnSchema(body.message)
      ? messageSchema(context, body.message, "request", refer, inside)
      : fieldSchema(context, body, "request", refer);
  const { description, readOnly: _, writeOnly: __, ...rest } = schema;
  return {
    description: context.source.comment(body).text || description || undefined,
    required: isRequiredInRequest(context, body) || undefined,
    content: json(rest),
  };
}

/** Returns the content of a response: a message, or a stream in the given framing. */
export function responseContent(
  message: DescMessage,
  stream: StreamFraming | undefined,
  refer: Refer,
): JsonObject {
  if (message.typeName === httpBody) return anyContent;
  const schema = wellKnownForm(message.typeName) ?? { $ref: refer(message, "response") };
  switch (stream) {
    case undefined:
      return json(schema);
    case "array":
      return json({ type: "array", items: schema });
    case "ndjson":
      return json({ ...schema, "x-stream": "ndjson" });
    case "sse":
      return { "text/event-stream": { schema: { ...schema, "x-stream": "sse" } } };
  }
}

/** The description of a stream in each framing. */
export const streamWords: Readonly<Record<StreamFraming, string>> = {
  array: "A stream, sent as one JSON array that is closed when the stream ends.",
  ndjson: "A stream of newline-delimited JSON: each line is one value of this schema.",
  sse: "A stream of server-sent events: the `data` of each is one JSON value of this schema.",
};

const anyContent: JsonObject = { "*/*": { schema: {} } };

function json(schema: JsonObject): JsonObject {
  return { "application/json": { schema } };
}

function wholeBody(
  context: Context,
  message: DescMessage,
  inPath: readonly FieldPath[],
  refer: Refer,
): JsonObject {
  const form = wellKnownForm(message.typeName, "request");
  if (form) return form;
  if (inPath.length === 0) return { $ref: refer(message, "request") };
  return messageSchema(context, message, "request", refer, inPath);
}

function isEmptyBeside(message: DescMessage, inPath: readonly FieldPath[]): boolean {
  return hasOwnSchema(message) && message.fields.every((field) => isHidden(field, inPath));
}

function isClientStream({ method }: Binding): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}
