import { refOf } from "@settle/chassis/docs/schema-parts";
import { type Document, listAt, type Node, nodeAt } from "./document.ts";

/** A breaking change of a schema. */
export type SchemaBreach = {
  /** The field, such as `amount.minorUnits`; empty for the whole schema. */
  readonly field: string;
  readonly rule: string;
  readonly fix: string;
};

/** A schema and its document. */
export type Place = { readonly document: Document; readonly schema: unknown };

/** Bounds that are stricter if larger, and those that are stricter if smaller. */
const lowerBounds = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const upperBounds = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/** Keywords whose values cannot be compared as wider or narrower. */
const exact = ["pattern", "format", "const", "multipleOf"];

const keep = "keep it, and deprecate it";
const widen = "accept everything that the release accepted";

/**
 * Compares a schema with the released one. A request may accept more than before, never less; a
 * response may contain more, never less. A rule whose text has changed cannot be compared, and
 * counts as narrower.
 */
export function compareSchemas(
  released: Place,
  present: Place,
  direction: "request" | "answer",
): readonly SchemaBreach[] {
  const seen = new Set<unknown>();
  return walk(released.schema, present.schema, "");

  function walk(before: unknown, now: unknown, field: string): readonly SchemaBreach[] {
    const ref = refOf(before);
    if (ref !== undefined && seen.has(ref)) return [];
    seen.add(ref);
    try {
      const a = released.document.resolve(before);
      const b = present.document.resolve(now);
      const below = (name: string) => (field === "" ? name : `${field}.${name}`);
      const found: SchemaBreach[] = [];
      const add = (rule: string, fix: string, at = field) => found.push({ field: at, rule, fix });
      compareTypes(a, b, add);
      for (const value of listAt<string>(a, "enum")) {
        if (b.enum && !listAt(b, "enum").includes(value))
          add(`the value ${value} was removed`, keep);
      }
      (direction === "request" ? compareLimits : compareAssurances)(a, b, add);
      if (direction === "request" && isClosed(b) && !isClosed(a)) {
        add("it refuses unknown fields now", "ignore them");
      }
      const properties = nodeAt(b, "properties");
      for (const [name, property] of Object.entries(nodeAt(a, "properties"))) {
        if (!(name in properties)) add("the field was removed", keep, below(name));
        else found.push(...walk(property, properties[name], below(name)));
      }
      const [required, wanted] = direction === "request" ? [b, a] : [a, b];
      for (const name of listAt<string>(required, "required")) {
        if (listAt(wanted, "required").includes(name)) continue;
        if (direction === "request") add("it is required now", "make it optional", below(name));
        else add("it is no longer always present", "always send it", below(name));
      }
      for (const key of ["items", "additionalProperties"] as const) {
        if (typeof a[key] === "object") found.push(...walk(a[key], b[key], below("*")));
      }
      return found;
    } finally {
      seen.delete(ref);
    }
  }

  function compareTypes(a: Node, b: Node, add: (rule: string, fix: string) => void): void {
    const [before, now] = [typesOf(a), typesOf(b)];
    const [wide, narrow] = direction === "request" ? [now, before] : [before, now];
    if (wide.length === 0) return;
    // No type means any type.
    if (narrow.length === 0 || !narrow.every((type) => wide.includes(type))) {
      const name = (types: readonly string[]) => types.join(" or ") || "anything";
      add(`it is ${name(now)} and was ${name(before)}`, "give a new field that type");
    }
  }
}

function isClosed({ additionalProperties }: Node): boolean {
  return additionalProperties === false;
}

function typesOf({ type }: Node): readonly string[] {
  if (type === undefined) return [];
  return Array.isArray(type) ? type : [String(type)];
}

function compareLimits(a: Node, b: Node, add: (rule: string, fix: string) => void): void {
  const number = (node: Node, key: string) => node[key] as number | undefined;
  for (const key of lowerBounds) {
    const now = number(b, key);
    if (now !== undefined && now > (number(a, key) ?? Number.NEGATIVE_INFINITY)) {
      add(`${key} is ${now} and was ${number(a, key) ?? "none"}`, widen);
    }
  }
  for (const key of upperBounds) {
    const now = number(b, key);
    if (now !== undefined && now < (number(a, key) ?? Number.POSITIVE_INFINITY)) {
      add(`${key} is ${now} and was ${number(a, key) ?? "none"}`, widen);
    }
  }
  for (const key of exact) {
    if (b[key] !== undefined && a[key] !== b[key]) {
      add(`${key} is ${b[key]} and was ${a[key] ?? "none"}`, widen);
    }
  }
  if (b.enum && !a.enum) add("only some values are accepted", widen);
  if (b.uniqueItems === true && a.uniqueItems !== true) add("items must be unique", widen);
  const before = conditionsOf(a);
  for (const [rule, names] of conditionsOf(b)) {
    // Callers of the release do not know fields that were added later.
    const concerns = names.every((name) => name in nodeAt(a, "properties"));
    if (!before.has(rule) && concerns) add(`there is a new rule: ${rule}`, widen);
  }
}

/** Compares the guarantees of a response. No release guarantees lengths or sizes. */
function compareAssurances(a: Node, b: Node, add: (rule: string, fix: string) => void): void {
  for (const key of exact) {
    if (a[key] !== undefined && a[key] !== b[key]) {
      add(`${key} is ${b[key] ?? "none"} and was ${a[key]}`, "send only what the release sent");
    }
  }
  if (a.enum && !b.enum) add("it is no longer an enum", keep);
}

/** Returns rules in words and compositions, each of which is a restriction, with their fields. */
function conditionsOf(schema: Node): ReadonlyMap<string, readonly string[]> {
  const words = String(schema.description ?? "").match(/^Rule: .*$/gm) ?? [];
  const not = nodeAt(schema, "not");
  const excluded = schema.not === undefined ? [] : listAt<Node>({ anyOf: [not], ...not }, "anyOf");
  const keywords = ["anyOf", "oneOf"].filter((key) => schema[key] !== undefined);
  return new Map([
    ...words.map((rule) => [rule, []] as const),
    ...excluded.map(
      (other) => [`not ${JSON.stringify(other)}`, listAt<string>(other, "required")] as const,
    ),
    ...keywords.map((key) => [`${key} ${JSON.stringify(schema[key])}`, []] as const),
  ]);
}
