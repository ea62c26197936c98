import { ScalarType } from "@bufbuild/protobuf";
import { elementOf, scalarOf } from "@settle/proto-schemas/json/elements";
import { type JsonObject, mergeSchemas } from "@settle/proto-schemas/json/json-schema";
import { paragraphs } from "@settle/proto-schemas/protos/comments";
import { fieldSchema, type Refer } from "@settle/proto-schemas/schemas/fields";
import type { Context } from "./context.ts";
import type { Binding } from "./http-rules.ts";
import type { Segment } from "./path-template.ts";

type Value = Extract<Segment, { readonly kind: "value" }>;

/** Returns the variable segments in the path of a binding. */
export function pathValues(binding: Binding): readonly Value[] {
  return binding.path.segments.filter((segment) => segment.kind === "value");
}

/**
 * Returns the parameters of a path, with `names`. A parameter for a whole field has the schema of
 * the field; a parameter for a part of a field is a string.
 */
export function pathParameters(
  context: Context,
  binding: Binding,
  names: readonly string[],
  refer: Refer,
): readonly JsonObject[] {
  return pathValues(binding).map((value, index) => {
    const field = binding.pathFields[index]?.at(-1);
    const isWhole = value.pattern === "*" || value.pattern === "**";
    const { description, ...schema } =
      field && isWhole ? fieldSchema(context, field, "request", refer) : { type: "string" };
    const isText = !field || !isWhole || scalarOf(elementOf(field)) === ScalarType.STRING;
    return {
      name: names[index] ?? "",
      in: "path",
      description: paragraphs(
        field && isWhole ? String(description ?? "") : "",
        field && !isWhole ? `Part of \`${fieldName(binding, index)}\`: \`${value.pattern}\`.` : "",
        value.slashes ? "Can contain several path segments, separated by slashes." : "",
      ),
      required: true,
      // A path segment is never empty.
      schema: isText ? mergeSchemas(schema, { minLength: 1 }) : schema,
    };
  });
}

function fieldName(binding: Binding, index: number): string {
  return (binding.pathFields[index] ?? []).map(({ jsonName }) => jsonName).join(".");
}
