import type { JsonValue } from "@bufbuild/protobuf";

/** Values that differ in each run; their form stays the same. */
const forms: readonly (readonly [name: string, form: RegExp])[] = [
  ["id", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ["time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/],
];
/** Fields whose values are opaque; `message` and `description` are texts, of errors only. */
const ownValues = /^(revision|nextPageToken)$/;
const errorWords = /^(message|description)$/;

/**
 * Returns the differences of `present` from `recorded`, one per line: missing fields and other
 * values. Additional fields, other ids, times, revisions and tokens, and other error messages are
 * not differences. For two runs of the same calls.
 */
export function findDifferences(recorded: JsonValue, present: JsonValue): readonly string[] {
  const isError = typeof recorded === "object" && recorded !== null && "code" in recorded;
  return walk(recorded, present, "", (a, b, name) => {
    if (a === b) return true;
    if (typeof a !== "string" || typeof b !== "string") return false;
    if (ownValues.test(name)) return (a === "") === (b === "");
    if (isError && errorWords.test(name)) return true;
    return forms.some(([, form]) => form.test(a) && form.test(b));
  });
}

/**
 * Returns the differences of `present` from `recorded`, one per line; only additional fields are
 * not differences. For decoding the same bytes twice.
 */
export function findLosses(recorded: JsonValue, present: JsonValue): readonly string[] {
  return walk(recorded, present, "", (a, b) => a === b);
}

/** Compares two values, of which the first is neither an object nor a list. */
type IsSame = (a: JsonValue, b: JsonValue | undefined, name: string) => boolean;

function walk(a: JsonValue, b: JsonValue | undefined, at: string, isSame: IsSame): string[] {
  const difference = [`${at}: ${JSON.stringify(b)} and was ${JSON.stringify(a)}`];
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return difference;
    return a.flatMap((item, index) => walk(item, b[index], `${at}.${index}`, isSame));
  }
  if (typeof a === "object" && a !== null) {
    if (typeof b !== "object" || b === null || Array.isArray(b)) return difference;
    return Object.entries(a).flatMap(([key, value]) =>
      walk(value, b[key], at === "" ? key : `${at}.${key}`, isSame),
    );
  }
  return isSame(a, b, at.split(".").at(-1) ?? "") ? [] : difference;
}
