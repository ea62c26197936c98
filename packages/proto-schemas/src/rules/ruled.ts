import { type JsonObject, mergeSchemas } from "../json/json-schema.ts";

/** A translated rule: what JSON Schema can express, and the rest in words. */
export type Ruled = { readonly schema: JsonObject; readonly notes: readonly string[] };

/** Merges several translated rules. */
export function join(parts: readonly Ruled[]): Ruled {
  return {
    schema: mergeSchemas(...parts.map(({ schema }) => schema)),
    notes: parts.flatMap(({ notes }) => notes),
  };
}
