import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "../json/direction.ts";
import { type JsonObject, mergeSchemas, withoutEmpty } from "../json/json-schema.ts";
import { wellKnownForm, wrappedScalar } from "../json/well-known.ts";
import { paragraphs } from "../protos/comments.ts";
import type { Context } from "../protos/context.ts";
import { isOneofRequired, readMessageRules } from "../rules/rules.ts";
import { celNotes } from "../rules/rules-cel.ts";
import { jsonExamples } from "./examples.ts";
import { describeField, fieldSchema, isRequired, narrowedFields, type Refer } from "./fields.ts";

/** The path to a field: the fields that lead to it. */
export type FieldPath = readonly DescField[];

/**
 * Returns the schema of a message. That of a request is closed: an unknown field is an error. All
 * others are open, because fields are added over time. The fields at `hidden`, which are in the path
 * of a request, are left out, and so are messages without any other fields.
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
    additionalProperties: direction === "request" ? false : undefined,
    ...(direction === "response" ? {} : oneofSchema(context, message, fields)),
    ...rules.schema,
    examples: jsonExamples(comment.examples),
    deprecated: message.deprecated || undefined,
  });
}

/** Returns the schema of the message of `field`, narrowed by the rules of the field. */
export function narrowedSchema(
  context: Context,
  field: DescField,
  direction: Direction,
  refer: Refer,
): JsonObject {
  if (!field.message) throw new Error(`${field.name} has no message`);
  return mergeSchemas(
    messageSchema(context, field.message, direction, refer),
    narrowedFields(context, field, direction) ?? {},
  );
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
  return describeField(context, field, schema, direction, { notes: [] });
}

/** Whether the JSON form of a message is an object of its fields. */
export function hasOwnSchema(message: DescMessage): boolean {
  return wellKnownForm(message.typeName) === undefined && !wrappedScalar(message.typeName);
}

/**
 * Returns the rules on oneofs, as a ban: on each pair of members, and on none of them if one is
 * required. Branches, one for each member, would make documentation and generated clients show
 * variants that the message does not have. Responses need no ban, for which some generators make a
 * type: nobody has to be kept from sending two members.
 */
function oneofSchema(
  context: Context,
  message: DescMessage,
  fields: readonly DescField[],
): JsonObject {
  const names = (members: readonly (DescField | undefined)[]) =>
    members.flatMap((field) => (field && fields.includes(field) ? [field.jsonName] : []));
  const groups = message.oneofs.map((oneof) => ({
    members: names(oneof.fields),
    required: isOneofRequired(context, oneof) && oneof.fields.every((f) => fields.includes(f)),
  }));
  for (const rule of readMessageRules(context, message).oneof ?? []) {
    const members = (rule.fields ?? []).map((name) =>
      message.fields.find((field) => field.name === name),
    );
    groups.push({ members: names(members), required: rule.required === true });
  }
  const pairs = groups.flatMap(({ members }) =>
    members.flatMap((name, index) =>
      members.slice(index + 1).map((other): JsonObject => ({ required: [name, other] })),
    ),
  );
  const none = groups
    .filter(({ required }) => required)
    .map(
      ({ members }): JsonObject => ({
        not: { anyOf: members.map((name) => ({ required: [name] })) },
      }),
    );
  const [ban, ...others] = [...pairs, ...none];
  if (ban === undefined) return {};
  return { not: others.length === 0 ? ban : { anyOf: [ban, ...others] } };
}
