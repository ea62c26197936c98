/** What of a JSON schema is put together of several: its fields, and which of them have to be there. */
export type SchemaParts = {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
};

/**
 * A schema of what fits both, for parts of which the later one only adds to the earlier one or narrows
 * it, as our generators write `allOf`. A field of both is their `allOf` again.
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

/** What a schema refers to, be it to narrow it; undefined if it does not. */
export function refOf(schema: unknown): string | undefined {
  const { $ref, allOf } = (schema ?? {}) as { $ref?: unknown; allOf?: readonly unknown[] };
  if (typeof $ref === "string") return $ref;
  return allOf?.map(refOf).find((ref) => ref !== undefined);
}
