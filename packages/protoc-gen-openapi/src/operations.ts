import { type JsonObject, withoutEmpty } from "@settle/proto-schemas/json/json-schema";
import { paragraphs } from "@settle/proto-schemas/protos/comments";
import type { Refer } from "@settle/proto-schemas/schemas/fields";
import { readAccess } from "./access.ts";
import { requestBody, responseContent, streamWords } from "./bodies.ts";
import type { Context } from "./context.ts";
import { errorResponses } from "./errors.ts";
import { headerParameters, responseHeaders } from "./headers.ts";
import type { Binding } from "./http-rules.ts";
import { nameOperation } from "./naming.ts";
import { pathParameters } from "./path-parameters.ts";
import { queryParameters } from "./query-parameters.ts";

/**
 * Returns the operation of a binding. `serviceName` is its tag and the prefix of its id;
 * `valueNames` are the names of its path parameters.
 */
export function operation(
  context: Context,
  binding: Binding,
  serviceName: string,
  valueNames: readonly string[],
  refer: Refer,
): JsonObject {
  const { method } = binding;
  const comment = context.source.comment(method);
  const access = readAccess(context, method);
  return {
    tags: [serviceName],
    operationId: nameOperation(serviceName, method, binding.index),
    // Tools show it as it is, not as Markdown.
    summary: comment.summary.replaceAll("`", "") || method.name,
    description: paragraphs(comment.rest, access.words),
    deprecated: method.deprecated || method.parent.deprecated || undefined,
    security: access.security,
    ...withoutEmpty({
      parameters: [
        ...pathParameters(context, binding, valueNames, refer),
        ...queryParameters(context, binding, refer),
        ...headerParameters(context.base, method),
      ],
    }),
    requestBody: requestBody(context, binding, refer),
    responses: responses(context, binding, refer),
  };
}

function responses(context: Context, { method }: Binding, refer: Refer): JsonObject {
  const isStream =
    method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
  const stream = isStream ? context.options.streams : undefined;
  // The comment of a common type does not describe the response.
  const isForeign = /^google\.(protobuf|api)\./.test(method.output.typeName);
  const summary = isForeign ? "" : context.source.comment(method.output).summary;
  const all: Readonly<Record<string, JsonObject>> = {
    200: {
      description: paragraphs(
        summary === "" ? "OK" : `${summary}.`,
        stream ? streamWords[stream] : "",
        stream ? context.base.streamErrors.trim() : "",
      ),
      content: responseContent(method.output, stream, refer),
    },
    ...errorResponses(context, method),
  };
  return Object.fromEntries(
    Object.entries(all).map(([status, response]) => {
      const { description, content, ...rest } = response;
      const headers = responseHeaders(context.base, method, status);
      return [status, { description, ...withoutEmpty({ headers }), content, ...rest }];
    }),
  );
}
