import { decimalPattern } from "../json/decimal-pattern.ts";
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
 * integer is a string in JSON, so its bounds become a pattern, and words as well; also numeric
 * bounds if it may be a number (`isNumber64`).
 */
export function numberRules(rules: NumberRules, type: string, isNumber64: boolean): Ruled {
  const is64 = type.endsWith("64");
  const lists = listSchema(rules, is64, isNumber64);
  const bounds = readBounds(rules);
  if (bounds === undefined) return { schema: lists, notes: [] };
  const { lower, upper, isOutside } = bounds;
  const words = [lower, upper].flatMap((bound) =>
    bound ? [`${wordsOf[bound.keyword]} ${bound.value}`] : [],
  );
  const asNumbers: JsonObject = isOutside
    ? { not: { ...numberKeywords(opposite(lower)), ...numberKeywords(opposite(upper)) } }
    : { ...numberKeywords(lower), ...numberKeywords(upper) };
  if (!is64) return { schema: { ...lists, ...asNumbers }, notes: [] };
  return {
    schema: {
      ...lists,
      ...boundsPattern(lower, upper, /^u|^fixed/.test(type)),
      ...(isNumber64 ? asNumbers : {}),
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

const oppositeOf: Readonly<Record<BoundKeyword, BoundKeyword>> = {
  minimum: "exclusiveMaximum",
  exclusiveMinimum: "maximum",
  maximum: "exclusiveMinimum",
  exclusiveMaximum: "minimum",
};

/** Returns the bound of what `bound` leaves out. */
function opposite(bound: Bound): Bound {
  return bound && { ...bound, keyword: oppositeOf[bound.keyword] };
}

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

/**
 * The exact range; where it has no end, up to all numbers with the digits of the type. A range that
 * has no end and begins or ends at zero, or on its other side, has the sign only.
 */
function boundsPattern(lower: Bound, upper: Bound, isUnsigned: boolean): JsonObject {
  const digits = isUnsigned ? 20 : 19;
  const most = 10n ** BigInt(digits) - 1n;
  const least = isUnsigned ? 0n : -most;
  const from = lower && BigInt(lower.value) + (lower.keyword === "minimum" ? 0n : 1n);
  const to = upper && BigInt(upper.value) - (upper.keyword === "maximum" ? 0n : 1n);
  if (from !== undefined && to !== undefined) {
    if (from <= to) return { pattern: decimalPattern(from, to) };
    const below = to < least ? [] : [decimalPattern(least, to)];
    return { pattern: [...below, decimalPattern(from, most)].join("|") };
  }
  if (from !== undefined && from > 0n) return { pattern: decimalPattern(from, most) };
  if (to !== undefined && to < 0n) return { pattern: decimalPattern(least, to) };
  return { pattern: `^${from === 0n || isUnsigned ? "" : "-?"}[0-9]{1,${digits}}$` };
}

function listSchema(rules: NumberRules, is64: boolean, isNumber64: boolean): JsonObject {
  const forms = (value: number | bigint): readonly Json[] => {
    if (!is64) return Number.isFinite(Number(value)) ? [Number(value)] : [String(value)];
    const isSafe = Number.isSafeInteger(Number(value));
    return isNumber64 && isSafe ? [String(value), Number(value)] : [String(value)];
  };
  const allowed = rules.const !== undefined ? [rules.const] : rules.in;
  return {
    ...(allowed ? { enum: allowed.flatMap(forms) } : {}),
    ...(rules.not_in ? { not: { enum: rules.not_in.flatMap(forms) } } : {}),
  };
}
