import type { DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import type { Direction } from "../json/direction.ts";
import { allowsNumber, type Element } from "../json/elements.ts";
import type { Context } from "../protos/context.ts";
import { join, type Ruled } from "./ruled.ts";
import { bytesRules } from "./rules-bytes.ts";
import { type CelRule, celNotes } from "./rules-cel.ts";
import { enumRules } from "./rules-enum.ts";
import { type NumberRules, numberRules } from "./rules-number.ts";
import { type StringRules, stringRules } from "./rules-string.ts";
import { durationRules, type TimeRules, timestampRules } from "./rules-time.ts";

/** The set fields of buf.validate.FieldRules; rules of scalars are under the name of their type. */
export type FieldRules = {
  readonly required?: boolean;
  readonly ignore?: number;
  readonly cel?: readonly CelRule[];
  readonly cel_expression?: readonly string[];
  readonly bool?: { readonly const?: boolean };
  readonly string?: StringRules;
  readonly bytes?: Parameters<typeof bytesRules>[0];
  readonly enum?: Parameters<typeof enumRules>[0];
  readonly repeated?: {
    readonly min_items?: bigint;
    readonly max_items?: bigint;
    readonly unique?: boolean;
    readonly items?: FieldRules;
  };
  readonly map?: {
    readonly min_pairs?: bigint;
    readonly max_pairs?: bigint;
    readonly keys?: FieldRules;
    readonly values?: FieldRules;
  };
  readonly any?: { readonly in?: readonly string[]; readonly not_in?: readonly string[] };
  readonly duration?: TimeRules;
  readonly timestamp?: TimeRules;
  readonly field_mask?: { readonly in?: readonly string[]; readonly not_in?: readonly string[] };
};

/** The set fields of buf.validate.MessageRules. */
export type MessageRules = {
  readonly cel?: readonly CelRule[];
  readonly cel_expression?: readonly string[];
  readonly oneof?: readonly { readonly fields?: readonly string[]; readonly required?: boolean }[];
};

/** Values of buf.validate.Ignore. */
export const ignore = { ifZeroValue: 1, always: 3 } as const;

/** The rules of a field without rules; always this object, so that it can be compared. */
export const noRules: FieldRules = {};

const numberTypes = [
  ...["float", "double", "int32", "int64", "uint32", "uint64", "sint32", "sint64"],
  ...["fixed32", "fixed64", "sfixed32", "sfixed64"],
] as const;

/** Returns the protovalidate rules of a field; none if they are always ignored. */
export function readFieldRules(context: Context, field: DescField): FieldRules {
  const rules = context.extensions.read<FieldRules>(field, "buf.validate.field") ?? noRules;
  return rules.ignore === ignore.always ? noRules : rules;
}

/** Returns the rules of a field on each value: each item of a list, each value of a map. */
export function readElementRules(context: Context, field: DescField): FieldRules {
  const rules = readFieldRules(context, field);
  if (field.fieldKind === "list") return rules.repeated?.items ?? noRules;
  return field.fieldKind === "map" ? (rules.map?.values ?? noRules) : rules;
}

/** Returns the protovalidate rules of a message. */
export function readMessageRules(context: Context, message: DescMessage): MessageRules {
  return context.extensions.read<MessageRules>(message, "buf.validate.message") ?? {};
}

/** Whether one of the fields of a oneof must be set. */
export function isOneofRequired(context: Context, oneof: DescOneof): boolean {
  const rules = context.extensions.read<{ required?: boolean }>(oneof, "buf.validate.oneof");
  return rules?.required === true;
}

/**
 * Translates the rules on a single value: not those on its presence, nor on a list or a map, nor
 * those on the fields of a message, which are in narrowing.ts.
 */
export function elementRules(
  { int64 }: Pick<Context, "int64">,
  element: Element,
  rules: FieldRules,
  direction: Direction,
): Ruled {
  const parts: Ruled[] = [celNotes(rules)];
  const named = rules as Readonly<Record<string, NumberRules | undefined>>;
  for (const type of numberTypes) {
    const numbers = named[type];
    if (numbers) parts.push(numberRules(numbers, type, allowsNumber(int64, direction)));
  }
  if (rules.bool?.const !== undefined) {
    parts.push({ schema: { const: rules.bool.const }, notes: [] });
  }
  if (rules.string) parts.push(stringRules(rules.string));
  if (rules.bytes) parts.push(bytesRules(rules.bytes));
  if (rules.enum && element.kind === "enum") parts.push(enumRules(rules.enum, element.enum));
  if (rules.duration) parts.push(durationRules(rules.duration));
  if (rules.timestamp) parts.push(timestampRules(rules.timestamp));
  if (rules.any) parts.push(listNotes("the type", rules.any));
  if (rules.field_mask) parts.push(listNotes("each path", rules.field_mask));
  return join(parts);
}

function listNotes(
  what: string,
  rules: { readonly in?: readonly string[]; readonly not_in?: readonly string[] },
): Ruled {
  const quote = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
  return {
    schema: {},
    notes: [
      ...(rules.in ? [`${what} is one of ${quote(rules.in)}`] : []),
      ...(rules.not_in ? [`${what} is not one of ${quote(rules.not_in)}`] : []),
    ],
  };
}
