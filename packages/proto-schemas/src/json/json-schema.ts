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
 * Merges schemas into one, without `allOf`, whose parts would have no type of their own: generators
 * of clients do not read such parts. The result accepts what all of `schemas` accept. Of two
 * patterns, formats or constants, the later one is kept: a rule narrows what its type says.
 */
export function mergeSchemas(...schemas: readonly JsonObject[]): JsonObject {
  const merged: Record<string, Json> = {};
  for (const schema of schemas) {
    for (const [keyword, value] of Object.entries(schema)) {
      if (value === undefined) continue;
      const known = merged[keyword];
      merged[keyword] =
        known === undefined || isSame(known, value) ? value : mergeKeyword(keyword, known, value);
    }
  }
  return merged;
}

function mergeKeyword(keyword: string, one: Json, other: Json): Json {
  const choose = stricter[keyword];
  if (choose && typeof one === "number" && typeof other === "number") return choose(one, other);
  if (nested.has(keyword) && isObject(one) && isObject(other)) return mergeSchemas(one, other);
  if (keyword === "not") return { anyOf: [one, other] };
  if (keyword === "properties" && isObject(one) && isObject(other)) {
    const both = Object.entries(other).map(([name, schema]) => {
      const known = one[name];
      return [name, isObject(known) && isObject(schema) ? mergeSchemas(known, schema) : schema];
    });
    return { ...one, ...Object.fromEntries(both) };
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    if (keyword === "enum") return one.filter((item) => other.some((same) => isSame(item, same)));
    if (keyword === "required") return [...new Set([...one, ...other])];
  }
  return other;
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
 * Returns `json` with the target of each `$ref`, and of each one in the `mapping` of a discriminator,
 * replaced by the result of `rename`. Parts without such a target are not copied. `isMapping` tells
 * that all strings in `json` are targets.
 */
export function mapRefs<T extends Json>(
  json: T,
  rename: (ref: string) => string,
  isMapping?: boolean,
): T;
export function mapRefs(json: Json, rename: (ref: string) => string, isMapping = false): Json {
  if (Array.isArray(json)) {
    const mapped = json.map((item: Json) => mapRefs(item, rename));
    return mapped.some((item, index) => item !== json[index]) ? mapped : json;
  }
  if (!isObject(json)) return json;
  let copy: Record<string, Json | undefined> | undefined;
  for (const key of Object.keys(json)) {
    const value = json[key];
    if (value === undefined) continue;
    const isTarget = typeof value === "string" && (key === "$ref" || isMapping);
    const mapped = isTarget
      ? rename(value)
      : mapRefs(value, rename, key === "mapping" && "propertyName" in json);
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
