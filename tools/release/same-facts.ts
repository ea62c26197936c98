import type { JsonValue } from "@bufbuild/protobuf";

/** What is another at each time; its form stays. */
const forms: readonly (readonly [name: string, form: RegExp])[] = [
  ["id", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ["time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/],
];
/** Fields whose values are their makers' own; `message` and `description` are words, of errors only. */
const ownValues = /^(revision|nextPageToken)$/;
const errorWords = /^(message|description)$/;

/**
 * Returns in what `present` does not hold what `recorded` says, a line each: fields that are not
 * there, other values. More fields, other ids, times, revisions and tokens, and other words of an
 * error are no difference.
 */
export function findDifferences(recorded: JsonValue, present: JsonValue): readonly string[] {
  const isError = typeof recorded === "object" && recorded !== null && "code" in recorded;
  return walk(recorded, present, "", isError);
}

function walk(a: JsonValue, b: JsonValue | undefined, at: string, isError: boolean): string[] {
  const name = at.split(".").at(-1) ?? "";
  const difference = [`${at}: ${JSON.stringify(b)} and was ${JSON.stringify(a)}`];
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return difference;
    return a.flatMap((item, index) => walk(item, b[index], `${at}.${index}`, isError));
  }
  if (typeof a === "object" && a !== null) {
    if (typeof b !== "object" || b === null || Array.isArray(b)) return difference;
    return Object.entries(a).flatMap(([key, value]) =>
      walk(value, b[key], at === "" ? key : `${at}.${key}`, isError),
    );
  }
  if (a === b) return [];
  if (typeof a !== "string" || typeof b !== "string") return difference;
  if (ownValues.test(name)) return (a === "") === (b === "") ? [] : difference;
  if (isError && errorWords.test(name)) return [];
  return forms.some(([, form]) => form.test(a) && form.test(b)) ? [] : difference;
}
