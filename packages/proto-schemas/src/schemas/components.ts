import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "../json/direction.ts";
import { isSame, type Json, type JsonObject, mapRefs } from "../json/json-schema.ts";
import { typeUrlPrefix } from "../json/well-known.ts";
import type { Context } from "../protos/context.ts";
import { enumSchema } from "./enums.ts";
import type { Refer } from "./fields.ts";
import { messageSchema, narrowedSchema } from "./messages.ts";

/** What a schema is made of. */
type Named = DescMessage | DescEnum | DescField;

/** The schemas that other parts of a document refer to. */
export type Components = {
  /** Returns a reference that is valid until {@link Components.finish}, and adds its schema. */
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
 * Collects schemas, each with the full name of its type, or of the field whose rules narrow its
 * message. A message that is both sent and received, and differs in the two directions, has two
 * schemas: the one for requests is called `<name>-Input`, which cannot be the name of a message. The
 * one of a message that is a detail and a response as well is called `<name>-Detail` as a detail.
 */
export function createComponents(
  context: Context,
  options: {
    /** Whether each schema has a title, from which generators of models take its name. */
    readonly isTitled?: boolean;
  } = {},
): Components {
  const wanted = new Map<string, { readonly of: Named; readonly make: () => JsonObject }>();
  const refer: Refer = (of, direction) => {
    // An enum has the same schema in both directions.
    const key = `${of.kind === "enum" ? "response" : direction}:${nameOf(of)}`;
    if (!wanted.has(key)) wanted.set(key, { of, make: () => schemaOf(of, direction) });
    return key;
  };
  const schemaOf = (of: Named, direction: Direction | "detail"): JsonObject => {
    if (of.kind === "enum") return enumSchema(context, of);
    if (direction === "detail") return withType(of, schemaOf(of, "response"));
    if (of.kind === "message") return messageSchema(context, of, direction, refer);
    return narrowedSchema(context, of, direction, refer);
  };
  return {
    refer,
    finish() {
      const schemas = new Map<string, JsonObject>();
      // Grows during the iteration: a schema may be the first to refer to another one.
      for (const [key, { make }] of wanted) schemas.set(key, make());
      if (options.isTitled) {
        const titles = titlesOf([...wanted.values()].map(({ of }) => of));
        for (const [key, { of }] of wanted) {
          schemas.set(key, { title: titles.get(nameOf(of)), ...schemas.get(key) });
        }
      }
      const split = findDifferent(schemas);
      const finalName = (key: string) => {
        const [direction = "", name = ""] = key.split(":");
        if (direction === "request" && split.has(name)) return `${name}-Input`;
        const isTaken = direction === "detail" && schemas.has(`response:${name}`);
        return isTaken ? `${name}-Detail` : name;
      };
      const resolve = <T extends Json>(json: T): T =>
        mapRefs(json, (ref) =>
          ref.startsWith("#") ? ref : `#/components/schemas/${finalName(ref)}`,
        );
      const named = [...schemas]
        .map(([key, schema]) => [finalName(key), resolve(schema)] as const)
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      return { schemas: Object.fromEntries(named), resolve };
    },
  };
}

function withType(of: Exclude<Named, DescEnum>, schema: JsonObject): JsonObject {
  const type = { type: "string", enum: [`${typeUrlPrefix}${nameOf(of)}`] };
  const required = (schema.required ?? []) as readonly string[];
  return {
    ...schema,
    properties: { "@type": type, ...(schema.properties as JsonObject | undefined) },
    required: ["@type", ...required],
  };
}

function nameOf(of: Named): string {
  return of.kind === "field" ? `${of.parent.typeName}.${of.name}` : of.typeName;
}

/**
 * Returns a unique title for each name: `OrderCreatedEventAmount` for
 * `events.v1.OrderCreatedEvent.amount`, with the package if two packages have the same.
 */
function titlesOf(all: readonly Named[]): ReadonlyMap<string, string> {
  const camel = (name: string) =>
    name.replaceAll(/(?:[._]+|^)([A-Za-z0-9]?)/g, (_, letter: string) => letter.toUpperCase());
  const short = (of: Named) => {
    const { file } = of.kind === "field" ? of.parent : of;
    return camel(nameOf(of).slice(file.proto.package.length));
  };
  const holders = new Map<string, Set<string>>();
  for (const of of all) {
    const title = short(of);
    holders.set(title, (holders.get(title) ?? new Set()).add(nameOf(of)));
  }
  return new Map(
    all.map((of) => [
      nameOf(of),
      holders.get(short(of))?.size === 1 ? short(of) : camel(nameOf(of)),
    ]),
  );
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
