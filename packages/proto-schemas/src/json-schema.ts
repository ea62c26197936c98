import { anyDuration } from "./decimal-pattern.ts";

/** What JSON can hold; a key whose value is undefined is not written. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A JSON object: a schema of JSON Schema 2020-12, or any other object of a document. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** Keywords of which the stricter of two values says both. */
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

/** Keywords whose value is a schema that both values of which narrow. */
const nested: ReadonlySet<string> = new Set(["items", "propertyNames", "additionalProperties"]);

/**
 * Returns one schema that accepts what all of `schemas` accept. Where two of them use the same
 * keyword differently and neither value says both, the later one goes into `allOf`, and so does
 * what narrows the fields of a `$ref`.
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
        // What rules leave is among what the type has.
        merged[keyword] = value;
      } else rest[keyword] = value;
    }
    if (Object.keys(rest).length > 0) apart.push(rest);
  }
  const { $ref, properties, required, ...others } = merged;
  if ($ref !== undefined && properties !== undefined) {
    // Who makes types from a document often reads nothing beside a `$ref`.
    const narrowed = { properties, ...(required === undefined ? {} : { required }) };
    return { ...others, allOf: [{ $ref }, narrowed, ...apart] };
  }
  return apart.length === 0 ? merged : { ...merged, allOf: apart };
}

/** Whether the pattern of a schema is that of its type, which rules only narrow. */
function isOfType({ format, pattern }: JsonObject): boolean {
  return /^u?int64$/.test(String(format)) || pattern === anyDuration;
}

/** Whether `json` is an object, not a list. */
export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether two values are written the same; the order of keys counts. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Returns `json` with the target of each `$ref` in it replaced by what `rename` makes of it. */
export function mapRefs<T extends Json>(json: T, rename: (ref: string) => string): T;
export function mapRefs(json: Json, rename: (ref: string) => string): Json {
  if (Array.isArray(json)) return json.map((item) => mapRefs(item, rename));
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      value === undefined
        ? value
        : key === "$ref" && typeof value === "string"
          ? rename(value)
          : mapRefs(value, rename),
    ]),
  );
}

/** Returns `object` without the keys that hold nothing: undefined, an empty list or object. */
export function withoutEmpty(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) =>
        value !== undefined &&
        !(typeof value === "object" && value !== null && Object.keys(value).length === 0),
    ),
  );
}

/** Returns `object` with its keys by code units: the same on every machine. */
export function sortKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
