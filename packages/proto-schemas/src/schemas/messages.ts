import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "../json/elements.ts";
import { type Json, type JsonObject, withoutEmpty } from "../json/json-schema.ts";
import { wellKnownForm, wrappedScalar } from "../json/well-known.ts";
import { paragraphs } from "../protos/comments.ts";
import type { Context } from "../protos/context.ts";
import { isOneofRequired, readMessageRules } from "../rules/rules.ts";
import { celNotes } from "../rules/rules-cel.ts";
import { jsonExamples } from "./examples.ts";
import { describeField, fieldSchema, isRequired, type Refer } from "./fields.ts";

/** The path to a field: the fields that lead to it. */
export type FieldPath = readonly DescField[];

/**
 * Returns the schema of a message. The fields at `hidden`, which are in the path of a request, are
 * left out, and so are messages without any other fields.
 */
export function messageSchema(
  context: Context,
  message: DescMessage,
  direction: Direction,
  refer: Refer,
  hidden: readonly FieldPath[] = [],
): JsonObject {
  const comment = context.source.comment(message);
  const rules = celNotes(readMessageRules(context, message));
  const fields = message.fields.filter((field) => !isHidden(field, hidden));
  return withoutEmpty({
    type: "object",
    description: paragraphs(comment.text, ...rules.notes.map((note) => `Rule: ${note}`)),
    properties: Object.fromEntries(
      fields.map((field) => [
        field.jsonName,
        propertySchema(context, field, direction, refer, hidden),
      ]),
    ),
    required: fields
      .filter((field) => isRequiredBeside(context, field, direction, hidden))
      .map(({ jsonName }) => jsonName),
    ...oneofSchema(context, message, fields, direction),
    ...rules.schema,
    examples: jsonExamples(comment.examples),
    deprecated: message.deprecated || undefined,
  });
}

/** Whether a field is at one of the paths, or is a message of which all fields are. */
export function isHidden(field: DescField, hidden: readonly FieldPath[]): boolean {
  if (hidden.some((path) => path.length === 1 && path[0] === field)) return true;
  const inside = hiddenInside(field, hidden);
  return inside.length > 0 && field.message?.fields.every((f) => isHidden(f, inside)) === true;
}

/**
 * Whether a field is required in addition to the fields in the path of a request. A message with a
 * field in the path is already present, so it is required only if one of its other fields is.
 */
export function isRequiredBeside(
  context: Context,
  field: DescField,
  direction: Direction,
  hidden: readonly FieldPath[],
): boolean {
  if (isHidden(field, hidden) || !isRequired(context, field, direction)) return false;
  const inside = hiddenInside(field, hidden);
  if (inside.length === 0) return true;
  const within = field.message?.fields ?? [];
  return within.some((part) => isRequiredBeside(context, part, direction, inside));
}

function hiddenInside(field: DescField, hidden: readonly FieldPath[]): readonly FieldPath[] {
  return hidden.flatMap((path) => (path.length > 1 && path[0] === field ? [path.slice(1)] : []));
}

/** Returns the schema of an enum: the names of its values, with their comments. */
export function enumSchema(context: Context, desc: DescEnum): JsonObject {
  const comment = context.source.comment(desc);
  const values = desc.values.map((value) => {
    const text = context.source.comment(value).text.replaceAll(/\s*\n\s*/g, " ");
    const about = [value.deprecated ? "Deprecated." : "", text].filter(Boolean).join(" ");
    return about === "" ? `- \`${value.name}\`` : `- \`${value.name}\`: ${about}`;
  });
  return withoutEmpty({
    type: "string",
    description: paragraphs(comment.text, values.join("\n")),
    enum: desc.values.map(({ name }) => name),
    deprecated: desc.deprecated || undefined,
  });
}

function propertySchema(
  context: Context,
  field: DescField,
  direction: Direction,
  refer: Refer,
  hidden: readonly FieldPath[],
): JsonObject {
  const inside = hiddenInside(field, hidden);
  if (inside.length === 0 || field.fieldKind !== "message" || !hasOwnSchema(field.message)) {
    return fieldSchema(context, field, direction, refer);
  }
  const schema = messageSchema(context, field.message, direction, refer, inside);
  return describeField(context, field, schema, { notes: [] });
}

/** Whether the JSON form of a message is an object of its fields. */
export function hasOwnSchema(message: DescMessage): boolean {
  return wellKnownForm(message.typeName) === undefined && !wrappedScalar(message.typeName);
}

/**
 * Returns the rule that at most one field of a oneof is set, as a ban on pairs. A branch for each
 * field would make documentation and generated clients show variants that the message does not
 * have.
 */
function oneofSchema(
  context: Context,
  message: DescMessage,
  fields: readonly DescField[],
  direction: Direction,
): JsonObject {
  const names = (members: readonly (DescField | undefined)[]) =>
    members.flatMap((field) => (field && fields.includes(field) ? [field.jsonName] : []));
  const groups = message.oneofs.map((oneof) => ({
    members: names(oneof.fields),
    required: isOneofRequired(context, oneof) && oneof.fields.every((f) => fields.includes(f)),
  }));
  if (direction !== "response") {
    for (const rule of readMessageRules(context, message).oneof ?? []) {
      const members = (rule.fields ?? []).map((name) =>
        message.fields.find((field) => field.name === name),
      );
      groups.push({ members: names(members), required: rule.required === true });
    }
  }
  const pairs = groups.flatMap(({ members }) =>
    members.flatMap((name, index) =>
      members.slice(index + 1).map((other) => ({ required: [name, other] })),
    ),
  );
  const needed = groups
    .filter(({ required }) => required && direction !== "response")
    .map(({ members }): JsonObject => ({ anyOf: members.map((name) => ({ required: [name] })) }));
  const [pair] = pairs;
  const not: Json | undefined = pairs.length > 1 ? { anyOf: pairs } : pair;
  return {
    ...(not === undefined ? {} : { not }),
    ...(needed.length > 1 ? { allOf: needed } : needed[0]),
  };
}
