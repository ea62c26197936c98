/** The parts of a JSON schema that are merged: its fields, and which of them are required. */
export type SchemaParts = {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
};

/**
 * Merges two schemas into one that matches what both match. `other` may only add to `one` or narrow
 * it, as in the `allOf` that our generators write. A field of both becomes an `allOf` of the two.
 */
export function narrow<Schema extends SchemaParts>(one: Schema, other: Schema): Schema {
  const properties: Record<string, unknown> = { ...one.properties };
  for (const [name, field] of Object.entries(other.properties ?? {})) {
    properties[name] = name in properties ? { allOf: [properties[name], field] } : field;
  }
  const required = new Set([...(one.required ?? []), ...(other.required ?? [])]);
  return {
    ...one,
    ...other,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.size > 0 && { required: [...required] }),
  };
}

/** Returns the `$ref` of a schema, also one inside `allOf`; undefined if there is none. */
export function refOf(schema: unknown): string | undefined {
  const { $ref, allOf } = (schema ?? {}) as { $ref?: unknown; allOf?: readonly unknown[] };
  if (typeof $ref === "string") return $ref;
  return allOf?.map(refOf).find((ref) => ref !== undefined);
}
