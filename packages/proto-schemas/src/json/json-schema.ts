import { anyDuration } from "./decimal-pattern.ts";

/** A JSON value; keys whose value is undefined are not written. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A JSON object: a schema of JSON Schema 2020-12, or any other object of a document. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** Keywords for which the stricter of two values implies the other. */
const stricter: Readonly<Record<string, (a: number, b: number) => number>> = {
  minimum: Math.max,
  exclusiveMinimum: Math.max,
  minLength: Math.max,
  minItems: Math.max,
  minProperties: Math.max,
  maximum: Math.min,
  exclusiveMaximum: Math.min,
  maxLength: Math.min,
  maxItems: Math.min,
  maxProperties: Math.min,
};

/** Keywords whose values are schemas, of which two can be merged. */
const nested: ReadonlySet<string> = new Set(["items", "propertyNames", "additionalProperties"]);

/**
 * Returns a schema that accepts what all of `schemas` accept. If two of them have different values
 * of a keyword that cannot be merged, the later one goes into `allOf`. So do keywords that narrow
 * the fields of a `$ref`.
 */
export function allOf(...schemas: readonly JsonObject[]): JsonObject {
  const merged: Record<string, Json> = {};
  const apart: Json[] = [];
  for (const schema of schemas) {
    const rest: Record<string, Json> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (value === undefined) continue;
      const known = merged[keyword];
      const choose = stricter[keyword];
      if (keyword === "allOf" && Array.isArray(value)) apart.push(...value);
      else if (known === undefined || isSame(known, value)) merged[keyword] = value;
      else if (choose && typeof known === "number" && typeof value === "number") {
        merged[keyword] = choose(known, value);
      } else if (nested.has(keyword) && isObject(known) && isObject(value)) {
        merged[keyword] = allOf(known, value);
      } else if (keyword === "pattern" && isOfType(merged)) {
        // The rules allow a subset of what the type allows.
        merged[keyword] = value;
      } else rest[keyword] = value;
    }
    if (Object.keys(rest).length > 0) apart.push(rest);
  }
  const { $ref, properties, required, ...others } = merged;
  if ($ref !== undefined && properties !== undefined) {
    // Generators of types often ignore keywords next to a `$ref`.
    const narrowed = { properties, ...(required === undefined ? {} : { required }) };
    return { ...others, allOf: [{ $ref }, narrowed, ...apart] };
  }
  return apart.length === 0 ? merged : { ...merged, allOf: apart };
}

/** Whether the pattern of a schema is that of its type, which rules can only narrow. */
function isOfType({ format, pattern }: JsonObject): boolean {
  return /^u?int64$/.test(String(format)) || pattern === anyDuration;
}

/** Whether `json` is an object, not a list. */
export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether two values have the same JSON text; the order of keys matters. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Returns `json` with the target of each `$ref` replaced by the result of `rename`. Parts without such a
 * target are not copied.
 */
export function mapRefs<T extends Json>(json: T, rename: (ref: string) => string): T;
export function mapRefs(json: Json, rename: (ref: string) => string): Json {
  if (Array.isArray(json)) {
    const mapped = json.map((item: Json) => mapRefs(item, rename));
    return mapped.some((item, index) => item !== json[index]) ? mapped : json;
  }
  if (!isObject(json)) return json;
  let copy: Record<string, Json | undefined> | undefined;
  for (const key of Object.keys(json)) {
    const value = json[key];
    if (value === undefined) continue;
    const isTarget = key === "$ref" && typeof value === "string";
    const mapped = isTarget ? rename(value) : mapRefs(value, rename);
    if (mapped === value) continue;
    copy ??= { ...json };
    copy[key] = mapped;
  }
  return copy ?? json;
}

/** Returns `object` without keys whose value is undefined, an empty list or an empty object. */
export function withoutEmpty(object: JsonObject): JsonObject {
  const kept: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    const isList = typeof value === "object" && value !== null;
    if (!isList || Object.keys(value).length > 0) kept[key] = value;
  }
  return kept;
}

/** Returns `object` with its keys sorted by code units, the same on every machine. */
export function sortKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
