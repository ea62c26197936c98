import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "../json/elements.ts";
import { isSame, type Json, type JsonObject, mapRefs } from "../json/json-schema.ts";
import type { Context } from "../protos/context.ts";
import type { Refer } from "./fields.ts";
import { enumSchema, messageSchema } from "./messages.ts";

/** The schemas that other parts of a document refer to. */
export type Components = {
  /** Returns a reference that is valid until {@link Components.finish}, and adds its type. */
  readonly refer: Refer;
  /**
   * Returns all schemas that are referred to, directly or indirectly, by name, and a function that
   * converts the references of `refer` in any JSON to their final form.
   */
  finish(): {
    readonly schemas: Readonly<Record<string, JsonObject>>;
    readonly resolve: <T extends Json>(json: T) => T;
  };
};

/**
 * Collects schemas, each with the full name of its type. A message that is both sent and received,
 * and differs in the two directions, has two schemas: the one for requests is called
 * `<name>-Input`, which cannot be the name of a message.
 */
export function createComponents(context: Context): Components {
  const wanted = new Map<string, { type: DescMessage | DescEnum; direction: Direction }>();
  const refer: Refer = (type, direction) => {
    // An enum has the same schema in both directions.
    const key = `${type.kind === "enum" ? "response" : direction}:${type.typeName}`;
    if (!wanted.has(key)) wanted.set(key, { type, direction });
    return key;
  };
  return {
    refer,
    finish() {
      const schemas = new Map<string, JsonObject>();
      // Grows during the iteration: a schema may be the first to refer to another type.
      for (const [key, { type, direction }] of wanted) {
        schemas.set(
          key,
          type.kind === "enum"
            ? enumSchema(context, type)
            : messageSchema(context, type, direction, refer),
        );
      }
      const split = findDifferent(schemas);
      const nameOf = (key: string) => {
        const [direction = "", typeName = ""] = key.split(":");
        return direction === "request" && split.has(typeName) ? `${typeName}-Input` : typeName;
      };
      const resolve = <T extends Json>(json: T): T =>
        mapRefs(json, (ref) => (ref.startsWith("#") ? ref : `#/components/schemas/${nameOf(ref)}`));
      const named = [...schemas]
        .map(([key, schema]) => [nameOf(key), resolve(schema)] as const)
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      return { schemas: Object.fromEntries(named), resolve };
    },
  };
}

/** Returns the types that exist in both directions and differ, themselves or in nested types. */
function findDifferent(schemas: ReadonlyMap<string, JsonObject>): ReadonlySet<string> {
  const different = new Set<string>();
  const holders = new Map<string, Set<string>>();
  for (const [key, schema] of schemas) {
    if (!key.startsWith("request:")) continue;
    const name = key.slice("request:".length);
    const other = schemas.get(`response:${name}`);
    const withoutDirection = (ref: string) => ref.slice(ref.indexOf(":") + 1);
    const plain = mapRefs(schema, (ref) => {
      const held = withoutDirection(ref);
      holders.set(held, (holders.get(held) ?? new Set()).add(name));
      return held;
    });
    if (other && !isSame(plain, mapRefs(other, withoutDirection))) different.add(name);
  }
  // Grows during the iteration: a type that contains a different one is different.
  for (const name of different) {
    for (const holder of holders.get(name) ?? []) {
      if (schemas.has(`response:${holder}`)) different.add(holder);
    }
  }
  return different;
}
