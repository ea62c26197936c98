import type { Direction } from "./elements.ts";
import type { Json, JsonObject } from "./json-schema.ts";
import type { Ruled } from "./rules.ts";

/** buf.validate's rules of any type of number. */
export type NumberRules = {
  readonly const?: number | bigint;
  readonly lt?: number | bigint;
  readonly lte?: number | bigint;
  readonly gt?: number | bigint;
  readonly gte?: number | bigint;
  readonly in?: readonly (number | bigint)[];
  readonly not_in?: readonly (number | bigint)[];
};

/**
 * Returns the bounds and lists of a number of the type called `type` in protos. A 64-bit integer is a string in JSON, of which a
 * pattern can tell the sign and the number of digits only: its bounds are in words as well, and
 * hold as numbers for callers that send numbers.
 */
export function numberRules(rules: NumberRules, type: string, direction: Direction): Ruled {
  const is64 = type.endsWith("64");
  const lists = listSchema(rules, is64, direction);
  const bounds = readBounds(rules);
  if (bounds === undefined) return { schema: lists, notes: [] };
  const { lower, upper, isOutside } = bounds;
  const asNumbers: JsonObject = isOutside
    ? { anyOf: [numberKeywords(lower), numberKeywords(upper)] }
    : { ...numberKeywords(lower), ...numberKeywords(upper) };
  if (!is64) return { schema: { ...lists, ...asNumbers }, notes: [] };
  const words = [lower, upper].flatMap((bound) =>
    bound ? [`${wordsOf[bound.keyword]} ${bound.value}`] : [],
  );
  return {
    schema: {
      ...lists,
      ...(isOutside ? {} : digitsPattern(lower, upper, /^u|^fixed/.test(type) ? 20 : 19)),
      ...(direction === "request" ? asNumbers : {}),
    },
    notes: [words.join(isOutside ? ", or " : ", ")],
  };
}

type BoundKeyword = "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum";
type Bound = { readonly keyword: BoundKeyword; readonly value: number | bigint } | undefined;

const wordsOf: Readonly<Record<BoundKeyword, string>> = {
  minimum: "at least",
  exclusiveMinimum: "more than",
  maximum: "at most",
  exclusiveMaximum: "less than",
};

function readBounds(
  rules: NumberRules,
): { readonly lower: Bound; readonly upper: Bound; readonly isOutside: boolean } | undefined {
  const bound = (keyword: BoundKeyword, value: number | bigint | undefined): Bound =>
    value === undefined ? undefined : { keyword, value };
  const lower = bound("minimum", rules.gte) ?? bound("exclusiveMinimum", rules.gt);
  const upper = bound("maximum", rules.lte) ?? bound("exclusiveMaximum", rules.lt);
  if (!lower && !upper) return undefined;
  // A lower bound above the upper one means everything but what is between them.
  return { lower, upper, isOutside: !!lower && !!upper && lower.value > upper.value };
}

/** JSON numbers of this program are doubles: a bound they cannot hold exactly stays in words. */
function numberKeywords(bound: Bound): JsonObject {
  if (!bound) return {};
  const value = Number(bound.value);
  const isExact = typeof bound.value === "number" || Number.isSafeInteger(value);
  return isExact && Number.isFinite(value) ? { [bound.keyword]: value } : {};
}

/** The digits that a number between the bounds may have, and whether it may have a sign. */
function digitsPattern(lower: Bound, upper: Bound, maxDigits: number): JsonObject {
  const isBelowZero = upper && (upper.keyword === "maximum" ? upper.value < 0 : upper.value <= 0);
  const sign = lower && lower.value >= 0 ? "" : isBelowZero ? "-" : "-?";
  const lengths = [lower, upper].map((bound) => String(bound?.value ?? 0).replace("-", "").length);
  const digits = lower && upper ? Math.max(...lengths) : maxDigits;
  return { pattern: `^${sign}[0-9]{1,${digits}}$` };
}

function listSchema(rules: NumberRules, is64: boolean, direction: Direction): JsonObject {
  const forms = (value: number | bigint): readonly Json[] => {
    if (!is64) return Number.isFinite(Number(value)) ? [Number(value)] : [String(value)];
    const isSafe = Number.isSafeInteger(Number(value));
    return direction === "request" && isSafe ? [String(value), Number(value)] : [String(value)];
  };
  const allowed = rules.const !== undefined ? [rules.const] : rules.in;
  return {
    ...(allowed ? { enum: allowed.flatMap(forms) } : {}),
    ...(rules.not_in ? { not: { enum: rules.not_in.flatMap(forms) } } : {}),
  };
}
