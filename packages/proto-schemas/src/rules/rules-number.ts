import { decimalPattern } from "../json/decimal-pattern.ts";
import type { Direction } from "../json/elements.ts";
import type { Json, JsonObject } from "../json/json-schema.ts";
import type { Ruled } from "./ruled.ts";

/** buf.validate's rules for any number type. */
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
 * Translates the bounds and lists of a number whose type is called `type` in protos. A 64-bit
 * integer is a string in JSON, so its bounds become a pattern, and words as well. They also apply
 * as numeric bounds to callers that send numbers.
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
      ...(isOutside ? {} : boundsPattern(lower, upper, /^u|^fixed/.test(type) ? 20 : 19)),
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
  // A lower bound above the upper one means everything outside the range between them.
  return { lower, upper, isOutside: !!lower && !!upper && lower.value > upper.value };
}

/** JSON numbers are doubles here: a bound that a double cannot represent exactly stays in words. */
function numberKeywords(bound: Bound): JsonObject {
  if (!bound) return {};
  const value = Number(bound.value);
  const isExact = typeof bound.value === "number" || Number.isSafeInteger(value);
  return isExact && Number.isFinite(value) ? { [bound.keyword]: value } : {};
}

/** The exact range if it has two ends, otherwise the sign and the digits of the type. */
function boundsPattern(lower: Bound, upper: Bound, maxDigits: number): JsonObject {
  const from = lower && BigInt(lower.value) + (lower.keyword === "minimum" ? 0n : 1n);
  const to = upper && BigInt(upper.value) - (upper.keyword === "maximum" ? 0n : 1n);
  if (from !== undefined && to !== undefined) {
    return from > to ? {} : { pattern: decimalPattern(from, to) };
  }
  const sign = from !== undefined && from >= 0n ? "" : to !== undefined && to < 0n ? "-" : "-?";
  return { pattern: `^${sign}[0-9]{1,${maxDigits}}$` };
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
