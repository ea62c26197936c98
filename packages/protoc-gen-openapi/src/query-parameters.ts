import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { JsonObject } from "@settle/proto-schemas/json/json-schema";
import { isOneValue } from "@settle/proto-schemas/json/well-known";
import { paragraphs } from "@settle/proto-schemas/protos/comments";
import { readFieldBehavior } from "@settle/proto-schemas/protos/field-behavior";
import { fieldSchema, isRequiredInRequest, type Refer } from "@settle/proto-schemas/schemas/fields";
import { type FieldPath, hasOwnSchema } from "@settle/proto-schemas/schemas/messages";
import type { Context } from "./context.ts";
import type { Binding } from "./http-rules.ts";

/**
 * Returns the query parameters: all fields of the request that are neither in the path nor in the
 * body; fields of nested messages as `filter.id`. Adds a complaint for each field that a query
 * cannot contain, and leaves it out: maps, repeated messages, and messages without a text form.
 * (Envoy accepts single fields of repeated messages, but not which item they belong to.) Does not
 * descend into recursive messages.
 */
export function queryParameters(
  context: Context,
  binding: Binding,
  refer: Refer,
): readonly JsonObject[] {
  if (binding.body === "*") return [];
  return walk(binding.method.input, []);

  function walk(message: DescMessage, above: FieldPath): readonly JsonObject[] {
    return message.fields.flatMap((field) => {
      const path = [...above, field];
      const isTaken = field === binding.body && above.length === 0;
      if (isTaken || binding.saidByPath.some((taken) => isSamePath(taken, path))) return [];
      if (readFieldBehavior(context, field).outputOnly || isEmpty(field)) return [];
      if (field.fieldKind === "message" && hasOwnSchema(field.message)) {
        const isInside =
          field.message === binding.method.input ||
          above.some((outer) => outer.message === field.message);
        return isInside ? [] : walk(field.message, path);
      }
      const obstacle = findObstacle(field);
      if (obstacle === undefined) return [parameter(path, field)];
      const name = path.map((part) => part.name).join(".");
      context.complaints.add(
        field,
        `${binding.method.name}: the field ${name} is in the query, where Envoy does not accept ${obstacle}; move it to the body`,
      );
      return [];
    });
  }

  function parameter(path: FieldPath, field: DescField): JsonObject {
    const {
      description,
      deprecated,
      writeOnly: _,
      ...schema
    } = fieldSchema(context, field, "request", refer);
    const others = (field.oneof?.fields ?? []).filter((other) => other !== field);
    const names = others.map((other) => `\`${nameOf([...path.slice(0, -1), other])}\``);
    return {
      name: nameOf(path),
      in: "query",
      description: paragraphs(
        String(description ?? ""),
        names.length === 0 ? "" : `Cannot be combined with ${names.join(" or ")}.`,
      ),
      required: path.every((part) => isRequiredInRequest(context, part)) || undefined,
      deprecated,
      schema,
    };
  }
}

function findObstacle(field: DescField): string | undefined {
  if (field.fieldKind === "map") return "maps";
  if (!field.message || isOneValue(field.message.typeName)) return undefined;
  return field.fieldKind === "list" ? "repeated messages" : field.message.typeName;
}

/** An empty message has no fields to set, and Envoy does not accept it in a query. */
function isEmpty({ message }: DescField): boolean {
  return message?.typeName === "google.protobuf.Empty";
}

function nameOf(path: FieldPath): string {
  return path.map(({ jsonName }) => jsonName).join(".");
}

function isSamePath(a: FieldPath, b: FieldPath): boolean {
  return a.length === b.length && a.every((field, index) => field === b[index]);
}
