import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  type Direction,
  type Element,
  elementOf,
  mapKeySchema,
  scalarOf,
  scalarSchema,
} from "../json/elements.ts";
import { allOf, type JsonObject, withoutEmpty } from "../json/json-schema.ts";
import { wellKnownForm } from "../json/well-known.ts";
import { hasImplicitZero, nonZeroSchema, refusesZero, zeroForms } from "../json/zero-values.ts";
import { paragraphs } from "../protos/comments.ts";
import type { Context } from "../protos/context.ts";
import { readFieldBehavior } from "../protos/field-behavior.ts";
import { join, type Ruled } from "../rules/ruled.ts";
import { elementRules, ignore, noRules, readFieldRules } from "../rules/rules.ts";
import { celNotes } from "../rules/rules-cel.ts";
import { lengthKeywords } from "../rules/rules-string.ts";
import { fieldExamples } from "./examples.ts";

/** Returns the value of `$ref` for a type with a schema of its own. */
export type Refer = (type: DescMessage | DescEnum, direction: Direction) => string;

/** Returns the schema of one value, without the rules and comments of its field. */
export function elementSchema(element: Element, direction: Direction, refer: Refer): JsonObject {
  if (element.kind === "scalar") return scalarSchema(element.scalar, direction);
  if (element.kind === "enum") {
    return element.enum.typeName === "google.protobuf.NullValue"
      ? { type: "null" }
      : { $ref: refer(element.enum, direction) };
  }
  const scalar = scalarOf(element);
  if (scalar !== undefined) {
    const schema = scalarSchema(scalar, direction);
    return { ...schema, type: [schema.type ?? [], "null"].flat() };
  }
  return wellKnownForm(element.message.typeName) ?? { $ref: refer(element.message, direction) };
}

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
    allOf(typeSchema(field, direction, refer), ruled.schema),
    ruled,
  );
}

/** Returns `schema` with the texts and flags from a field's comment and options. */
export function describeField(
  context: Context,
  field: DescField,
  schema: JsonObject,
  { notes }: Pick<Ruled, "notes">,
): JsonObject {
  const comment = context.source.comment(field);
  const behavior = readFieldBehavior(context, field);
  const rules = notes.length > 1 ? `Rules:\n\n- ${notes.join("\n- ")}` : `Rule: ${notes[0]}`;
  const own = schema.$ref === undefined ? schema.description : undefined;
  return withoutEmpty({
    ...schema,
    description:
      paragraphs(
        comment.text,
        notes.length === 0 ? "" : rules,
        behavior.immutable ? "Immutable: it cannot be changed once set." : "",
      ) ?? own,
    examples: fieldExamples(field, comment.examples),
    deprecated: field.deprecated || undefined,
    readOnly: behavior.outputOnly || undefined,
    writeOnly: behavior.inputOnly || undefined,
  });
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
  // Google marks all members of a oneof as required if one of them is.
  if (behavior.required && !field.oneof) return true;
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

function typeSchema(field: DescField, direction: Direction, refer: Refer): JsonObject {
  const schema = elementSchema(elementOf(field), direction, refer);
  switch (field.fieldKind) {
    case "list":
      return { type: "array", items: schema };
    case "map":
      return withoutEmpty({
        type: "object",
        propertyNames: mapKeySchema(field.mapKey),
        additionalProperties: schema,
      });
    default:
      return schema;
  }
}

function fieldRules(context: Context, field: DescField, direction: Direction): Ruled {
  const rules = readFieldRules(context, field);
  if (rules === noRules) return { schema: {}, notes: [] };
  const values = valueRules(context, field, direction);
  const isEmpty = Object.keys(values.schema).length === 0;
  const zeros = zeroForms(field).map((zero) => ({ const: zero }));
  const schema =
    rules.ignore === ignore.ifZeroValue && hasImplicitZero(field) && !isEmpty
      ? { anyOf: [...zeros, values.schema] }
      : values.schema;
  const mustBeSet = rules.required && direction !== "response" && hasImplicitZero(field);
  return {
    schema: mustBeSet ? allOf(schema, nonZeroSchema(field)) : schema,
    notes: values.notes,
  };
}

function valueRules(context: Context, field: DescField, direction: Direction): Ruled {
  const rules = readFieldRules(context, field);
  const element = elementOf(field);
  const inside = (what: string, ruled: Ruled, keyword: string): Ruled => ({
    schema: withoutEmpty({ [keyword]: ruled.schema }),
    notes: ruled.notes.map((note) => `${what}: ${note}`),
  });
  if (field.fieldKind === "list") {
    const { items = {}, min_items, max_items, unique } = rules.repeated ?? {};
    return join([
      celNotes(rules),
      {
        schema: {
          ...lengthKeywords("Items", undefined, min_items, max_items),
          ...(unique ? { uniqueItems: true } : {}),
        },
        notes: [],
      },
      inside("each item", elementRules(element, items, direction), "items"),
    ]);
  }
  if (field.fieldKind === "map") {
    const { keys = {}, values = {}, min_pairs, max_pairs } = rules.map ?? {};
    const key: Element = { kind: "scalar", scalar: field.mapKey };
    return join([
      celNotes(rules),
      { schema: lengthKeywords("Properties", undefined, min_pairs, max_pairs), notes: [] },
      inside("each key", elementRules(key, keys, direction), "propertyNames"),
      inside("each value", elementRules(element, values, direction), "additionalProperties"),
    ]);
  }
  return elementRules(element, rules, direction);
}
