import type { Json } from "@settle/proto-schemas/json/json-schema";

/**
 * Returns `json` with each `$ref` that has sibling keywords moved into `allOf`. AsyncAPI would
 * ignore the siblings otherwise.
 */
export function wrapRefs<T extends Json>(json: T): T;
export function wrapRefs(json: Json): Json {
  if (Array.isArray(json)) return json.map((item) => wrapRefs(item));
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).map(
    ([key, value]) => [key, value === undefined ? value : wrapRefs(value)] as const,
  );
  const { $ref, allOf, ...rest } = Object.fromEntries(entries);
  if (typeof $ref !== "string" || entries.length === 1) return Object.fromEntries(entries);
  return { ...rest, allOf: [{ $ref }, ...(Array.isArray(allOf) ? allOf : [])] };
}
