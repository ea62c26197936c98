import type { Json, JsonObject } from "@settle/proto-schemas/json/json-schema";

/**
 * Returns `schemas`, by name, with each `$ref` that has sibling keywords moved into `allOf`, beside the
 * type of its target. AsyncAPI would ignore the siblings otherwise.
 */
export function wrapRefs(
  schemas: Readonly<Record<string, JsonObject>>,
): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, wrap(schema, schemas)]),
  );
}

function wrap(json: Json, schemas: Readonly<Record<string, JsonObject>>): Json {
  if (Array.isArray(json)) return json.map((item) => wrap(item, schemas));
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).map(
    ([key, value]) => [key, value === undefined ? value : wrap(value, schemas)] as const,
  );
  const { $ref, ...rest } = Object.fromEntries(entries);
  if (typeof $ref !== "string" || entries.length === 1) return Object.fromEntries(entries);
  const { type } = schemas[$ref.split("/").at(-1) ?? ""] ?? {};
  return { ...(type === undefined ? {} : { type }), ...rest, allOf: [{ $ref }] };
}
