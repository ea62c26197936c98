import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { paragraphs } from "./comments.ts";
import type { Context } from "./context.ts";
import type { Direction } from "./elements.ts";
import { jsonExamples } from "./examples.ts";
import { describeField, fieldSchema, isRequired, type Refer } from "./fields.ts";
import { type Json, type JsonObject, withoutEmpty } from "./json-schema.ts";
import { isOneofRequired, readMessageRules } from "./rules.ts";
import { celNotes } from "./rules-cel.ts";
import { wellKnownForm, wrappedScalar } from "./well-known.ts";

/** A field by the fields that lead to it. */
export type FieldPath = readonly DescField[];

/**
 * Returns the schema of a message. The fields at `hidden` are left out, and messages of which
 * nothing is left: the path of a request says them already.
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

/** Whether a field is at one of the paths, or is a message of which they leave nothing. */
export function isHidden(field: DescField, hidden: readonly FieldPath[]): boolean {
  if (hidden.some((path) => path.length === 1 && path[0] === field)) return true;
  const inside = hiddenInside(field, hidden);
  return inside.length > 0 && field.message?.fields.every((f) => isHidden(f, inside)) === true;
}

/**
 * Whether a message has to hold a field beside what the path of a request says: a message of which
 * the path says something is there already, so it is needed for the rest that it requires only.
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

/** Whether a message is written as the object of its fields. */
export function hasOwnSchema(message: DescMessage): boolean {
  return wellKnownForm(message.typeName) === undefined && !wrappedScalar(message.typeName);
}

/**
 * At most one field of a oneof: no two of them are there. Said beside the properties instead of by
 * a branch for each field, for which readers and generated clients would show variants that the
 * message does not have.
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
