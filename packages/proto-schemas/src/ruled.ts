import { allOf, type JsonObject } from "./json-schema.ts";

/** What a rule comes to: what JSON Schema can say, and the rest in words. */
export type Ruled = { readonly schema: JsonObject; readonly notes: readonly string[] };

/** Puts what several rules come to together. */
export function join(parts: readonly Ruled[]): Ruled {
  return {
    schema: allOf(...parts.map(({ schema }) => schema)),
    notes: parts.flatMap(({ notes }) => notes),
  };
}
