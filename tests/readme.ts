/** A command that README.md shows, and the JSON it says the last line prints. */
export type ReadmeCommand = { readonly script: string; readonly expected: unknown };

/**
 * Returns what README.md tells its reader to type during the tour, in order: each block fenced as
 * `sh tour`, with the `json` block that follows it.
 */
export function readTour(markdown: string): ReadmeCommand[] {
  const blocks = markdown.matchAll(/^```sh tour\n(.*?)^```\n+^```json\n(.*?)^```/gms);
  return [...blocks].map(([, script = "", json = ""]) => ({ script, expected: JSON.parse(json) }));
}

/**
 * Whether `actual` holds everything in `expected`: objects may have more fields, lists must have as
 * many items, everything else is equal.
 */
export function holds(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, index) => holds(actual[index], item))
    );
  }
  if (typeof expected === "object" && expected !== null) {
    if (typeof actual !== "object" || actual === null) return false;
    const fields = actual as Readonly<Record<string, unknown>>;
    return Object.entries(expected).every(([name, value]) => holds(fields[name], value));
  }
  return actual === expected;
}
