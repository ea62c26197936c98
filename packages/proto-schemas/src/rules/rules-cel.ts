import { type DescField, ScalarType } from "@bufbuild/protobuf";
import type { Direction, Element } from "../json/elements.ts";
import type { JsonObject } from "../json/json-schema.ts";
import { hasImplicitZero, refusesZero } from "../json/zero-values.ts";
import type { Ruled } from "./ruled.ts";
import { type NumberRules, numberRules } from "./rules-number.ts";

/** A rule in CEL. */
export type CelRule = {
  readonly id?: string;
  readonly message?: string;
  readonly expression?: string;
};

type CelRules = {
  readonly cel?: readonly CelRule[] | undefined;
  readonly cel_expression?: readonly string[] | undefined;
};

/** Translates CEL rules to their message with the expression, and to `x-cel` for programs. */
export function celNotes(rules: CelRules): Ruled {
  const all = listRules(rules);
  if (all.length === 0) return { schema: {}, notes: [] };
  return {
    schema: { "x-cel": all.map((rule) => ({ ...rule })) },
    notes: all.map(({ message = "", expression = "" }) =>
      message === "" ? `CEL: \`${expression}\`` : `${message} (CEL: \`${expression}\`)`,
    ),
  };
}

/**
 * Translates CEL rules of a message that only bound numbers to its fields, such as
 * `this.a >= 1 && this.a <= 5`. All other rules stay in words.
 */
export function celBounds(rules: CelRules, element: Element, direction: Direction): JsonObject {
  if (element.kind !== "message") return {};
  const bounds = new Map<DescField, NumberRules>();
  for (const { expression = "" } of listRules(rules)) {
    for (const [field, bound] of readBounds(expression, element.message.fields)) {
      bounds.set(field, { ...bounds.get(field), ...bound });
    }
  }
  if (bounds.size === 0) return {};
  const properties: Record<string, JsonObject> = {};
  const required: string[] = [];
  for (const [field, bound] of bounds) {
    const type = ScalarType[field.scalar ?? 0]?.toLowerCase() ?? "";
    const { schema } = numberRules(bound, type, direction);
    properties[field.jsonName] = schema;
    if (direction === "request" && refusesZero(schema, field)) required.push(field.jsonName);
  }
  return { properties, ...(required.length > 0 ? { required } : {}) };
}

const comparison = /^this\.(\w+) (>=|<=|>|<) (-?\d+)u?$/;
const keywords: Readonly<Record<string, keyof NumberRules>> = {
  ">=": "gte",
  ">": "gt",
  "<=": "lte",
  "<": "lt",
};

/** Returns the bounds in an expression; none if any part of it is not a bound. */
function readBounds(
  expression: string,
  fields: readonly DescField[],
): readonly (readonly [DescField, NumberRules])[] {
  const found: [DescField, NumberRules][] = [];
  for (const part of expression.split("&&")) {
    const [, name, operator = "", number = ""] = comparison.exec(part.trim()) ?? [];
    const field = fields.find((candidate) => candidate.name === name);
    const keyword = keywords[operator];
    if (!field || !keyword || !isInteger(field)) return [];
    found.push([field, { [keyword]: BigInt(number) }]);
  }
  return found;
}

/** Whether a field is an integer that rules see as zero if it is not sent. */
function isInteger(field: DescField): boolean {
  const type = ScalarType[field.scalar ?? 0] ?? "";
  return field.fieldKind === "scalar" && hasImplicitZero(field) && /INT|FIXED/.test(type);
}

function listRules(rules: CelRules): readonly CelRule[] {
  return [
    ...(rules.cel ?? []),
    ...(rules.cel_expression ?? []).map((expression) => ({ expression })),
  ];
}
