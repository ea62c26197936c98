import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { Direction } from "../json/direction.ts";
import { elementOf, mapKeySchema, scalarOf, scalarSchema } from "../json/elements.ts";
import { type JsonObject, mergeSchemas, withoutEmpty } from "../json/json-schema.ts";
import { wellKnownForm } from "../json/well-known.ts";
import { hasImplicitZero, refusesZero } from "../json/zero-values.ts";
import { paragraphs } from "../protos/comments.ts";
import type { Context } from "../protos/context.ts";
import { readFieldBehavior } from "../protos/field-behavior.ts";
import { fieldRules } from "../rules/field-rules.ts";
import { readNarrowing } from "../rules/narrowing.ts";
import type { Ruled } from "../rules/ruled.ts";
import { ignore, readFieldRules } from "../rules/rules.ts";
import { enumValues } from "./enums.ts";
import { fieldExamples } from "./examples.ts";

/**
 * Returns the value of `$ref` for a schema of its own: of a message, of an enum, or of a field whose
 * rules narrow the fields of its message. A `detail` is a message in a response that has its type in
 * `@type`, as in google.protobuf.Any.
 */
export type Refer = (
  of: DescMessage | DescEnum | DescField,
  direction: Direction | "detail",
) => string;

/** Returns the schema of a field: its type, rules, comment and behavior. */
export function fieldSchema(
  context: Context,
  field: DescField,
  direction: Direction,
  refer: Refer,
): JsonObject {
  const ruled = fieldRules(context, field, direction);
  return describeField(
    context,
    field,
    mergeSchemas(typeSchema(context, field, direction, refer, ruled.schema), ruled.schema),
    direction,
    ruled,
  );
}

/**
 * Returns what the rules of a field say about the fields of its message, as a part of an object
 * schema; undefined if they say nothing that a schema can express.
 */
export function narrowedFields(
  context: Context,
  field: DescField,
  direction: Direction,
): JsonObject | undefined {
  const narrowing = readNarrowing(context, field, direction);
  if (narrowing.size === 0) return undefined;
  // The rules are in the description of `field`.
  const properties = [...narrowing].map(([inner, { schema }]) => [
    inner.jsonName,
    describeField(context, inner, schema, direction, { notes: [] }),
  ]);
  const required = [...narrowing]
    .filter(([inner, { schema }]) => direction !== "response" && refusesZero(schema, inner))
    .map(([{ jsonName }]) => jsonName);
  return withoutEmpty({ properties: Object.fromEntries(properties), required });
}

/** Returns `schema` with the texts and flags from a field's comment and options. */
export function describeField(
  context: Context,
  field: DescField,
  schema: JsonObject,
  direction: Direction,
  { notes }: Pick<Ruled, "notes">,
): JsonObject {
  const comment = context.source.comment(field);
  const behavior = readFieldBehavior(context, field);
  const rules = notes.length > 1 ? `Rules:\n\n- ${notes.join("\n- ")}` : `Rule: ${notes[0]}`;
  const own = schema.$ref === undefined ? (schema.description as string | undefined) : undefined;
  const isOwnEnum = field.fieldKind === "enum" && own !== undefined;
  const words = withoutEmpty({
    description:
      paragraphs(
        comment.text,
        notes.length === 0 ? "" : rules,
        behavior.immutable ? "Immutable: it cannot be changed once set." : "",
        isOwnEnum ? own : "",
      ) ?? own,
    examples: fieldExamples(field, comment.examples),
    deprecated: field.deprecated || undefined,
    // Only requests can contain too much. Some generators leave out of what they print, and of what
    // they compare, each field of an answer that is readOnly.
    readOnly: (direction === "request" && behavior.outputOnly) || undefined,
    writeOnly: (direction === "request" && behavior.inputOnly) || undefined,
  });
  // An empty schema in it counts: it is that of any value.
  return { ...schema, ...words };
}

/** Whether a field is always present in messages of this direction. */
export function isRequired(context: Context, field: DescField, direction: Direction): boolean {
  switch (direction) {
    case "request":
      return isRequiredInRequest(context, field);
    case "response":
      return isRequiredInResponse(context, field);
    case "event":
      return isRequiredByRules(context, field, direction);
  }
}

/** Whether requests must contain a field: it is marked so, or omitting it violates its rules. */
export function isRequiredInRequest(context: Context, field: DescField): boolean {
  if (readFieldBehavior(context, field).outputOnly) return false;
  return isRequiredByRules(context, field, "request");
}

/**
 * Whether a field must be set: it is marked so, or its zero, omitted in JSON, violates the rules.
 */
function isRequiredByRules(context: Context, field: DescField, direction: Direction): boolean {
  const behavior = readFieldBehavior(context, field);
  const rules = readFieldRules(context, field);
  if (rules.required || hasRequiredKeyword(field)) return true;
  // Google marks all members of a oneof as required if one of them is. Events omit zero values.
  const isOmitted = direction === "event" && hasImplicitZero(field);
  if (behavior.required && !field.oneof && !isOmitted) return true;
  if (!hasImplicitZero(field) || rules.ignore === ignore.ifZeroValue) return false;
  return refusesZero(fieldRules(context, field, direction).schema, field);
}

/**
 * Whether responses always contain a field. Envoy's always_print_primitive_fields prints scalars,
 * enums, lists and maps, but not messages, nor fields that are `optional` or in a oneof.
 */
function isRequiredInResponse(context: Context, field: DescField): boolean {
  const behavior = readFieldBehavior(context, field);
  if (behavior.inputOnly || field.oneof) return false;
  if (behavior.required || hasRequiredKeyword(field)) return true;
  return context.defaults === "printed" && hasImplicitZero(field);
}

/** Whether a field has the keyword `required` of proto2. */
function hasRequiredKeyword(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
}

function typeSchema(
  context: Context,
  field: DescField,
  direction: Direction,
  refer: Refer,
  rules: JsonObject,
): JsonObject {
  const inside = (keyword: string) => (rules[keyword] ?? {}) as JsonObject;
  switch (field.fieldKind) {
    case "list": {
      const items = elementSchema(context, field, direction, refer, inside("items"));
      return { type: "array", items };
    }
    case "map":
      return withoutEmpty({
        type: "object",
        propertyNames:
          mapKeySchema(field.mapKey) ?? (rules.propertyNames ? { type: "string" } : undefined),
        additionalProperties: elementSchema(
          context,
          field,
          direction,
          refer,
          inside("additionalProperties"),
        ),
      });
    default:
      return elementSchema(context, field, direction, refer, rules);
  }
}

/** Returns the type of each value of a field. The `rules` on it are merged by the caller. */
function elementSchema(
  context: Context,
  field: DescField,
  direction: Direction,
  refer: Refer,
  rules: JsonObject,
): JsonObject {
  const element = elementOf(field);
  const scalar = scalarOf(element);
  // A wrapper that is null in JSON is absent, so it needs no second type.
  if (scalar !== undefined) return scalarSchema(scalar, direction, context.int64);
  if (element.kind === "enum") {
    if (element.enum.typeName === "google.protobuf.NullValue") {
      // Requests may name the value. Some generators of clients know null only beside another type.
      return { type: ["string", "null"], pattern: "^NULL_VALUE$" };
    }
    // The rules list the values that are left. Next to a `$ref`, generators of clients ignore them.
    return Array.isArray(rules.enum)
      ? { type: "string", description: enumValues(context, element.enum, rules.enum) }
      : { $ref: refer(element.enum, direction) };
  }
  if (element.kind === "scalar") return {};
  const form = wellKnownForm(element.message.typeName, direction);
  if (form) return form;
  const isNarrowed = readNarrowing(context, field, direction).size > 0;
  return { $ref: refer(isNarrowed ? field : element.message, direction) };
}
