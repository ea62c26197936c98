import { type DescField, ScalarType } from "@bufbuild/protobuf";
import type { Direction } from "../json/direction.ts";
import { allowsNumber } from "../json/elements.ts";
import { hasImplicitZero } from "../json/zero-values.ts";
import type { Context } from "../protos/context.ts";
import type { Ruled } from "./ruled.ts";
import { readElementRules, readFieldRules } from "./rules.ts";
import { listRules } from "./rules-cel.ts";
import { type NumberRules, numberRules } from "./rules-number.ts";

/**
 * Returns what the CEL rules of `field`, whose type is a message, say about the integers in that
 * message: bounds such as `this.a >= 1 && this.a <= 5`, together with those that the integer itself
 * has. Empty if the rules say anything else; they stay in words.
 */
export function readNarrowing(
  context: Context,
  field: DescField,
  direction: Direction,
): ReadonlyMap<DescField, Ruled> {
  const inside = field.message?.fields ?? [];
  const bounds = new Map<DescField, NumberRules>();
  for (const { expression = "" } of listRules(readElementRules(context, field))) {
    for (const [integer, bound] of readBounds(expression, inside)) {
      const own = bounds.get(integer) ?? ownBounds(context, integer);
      bounds.set(integer, intersect(own, bound));
    }
  }
  const isNumber64 = allowsNumber(context.int64, direction);
  return new Map(
    [...bounds].map(([integer, bound]) => [
      integer,
      numberRules(bound, typeOf(integer), isNumber64),
    ]),
  );
}

/** The bounds that an integer has by itself; none if they leave out a range between them. */
function ownBounds(context: Context, integer: DescField): NumberRules {
  const rules = readFieldRules(context, integer) as Readonly<Record<string, unknown>>;
  const own = intersect({}, (rules[typeOf(integer)] ?? {}) as NumberRules);
  return (own.gte ?? 0n) > (own.lte ?? own.gte ?? 0n) ? {} : own;
}

/** Returns the bounds of integers that both have, which include the ends. */
function intersect(one: NumberRules, other: NumberRules): NumberRules {
  const lower = [one, other].flatMap(({ gte, gt }) => [
    ...(gte === undefined ? [] : [BigInt(gte)]),
    ...(gt === undefined ? [] : [BigInt(gt) + 1n]),
  ]);
  const upper = [one, other].flatMap(({ lte, lt }) => [
    ...(lte === undefined ? [] : [BigInt(lte)]),
    ...(lt === undefined ? [] : [BigInt(lt) - 1n]),
  ]);
  return {
    ...(lower.length === 0 ? {} : { gte: lower.reduce((a, b) => (a > b ? a : b)) }),
    ...(upper.length === 0 ? {} : { lte: upper.reduce((a, b) => (a < b ? a : b)) }),
  };
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
  return field.fieldKind === "scalar" && hasImplicitZero(field) && /int|fixed/.test(typeOf(field));
}

function typeOf(field: DescField): string {
  return ScalarType[field.scalar ?? 0]?.toLowerCase() ?? "";
}
