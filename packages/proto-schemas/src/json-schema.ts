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
 * Returns a schema that accepts what all of `schemas` accept. If two of them have different values of
 * a keyword that cannot be merged, the later one goes into `allOf`. So do keywords that narrow the
 * fields of a `$ref`.
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
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Returns `json` with the target of each `$ref` replaced by the result of `rename`. */
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

/** Returns `object` without keys whose value is undefined, an empty list or an empty object. */
export function withoutEmpty(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) =>
        value !== undefined &&
        !(typeof value === "object" && value !== null && Object.keys(value).length === 0),
    ),
  );
}

/** Returns `object` with its keys sorted by code units, the same on every machine. */
export function sortKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
