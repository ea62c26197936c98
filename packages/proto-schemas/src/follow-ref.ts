/** Returns the target of a `$ref` in `document`, such as `#/paths/~1orders/get`; undefined if missing. */
export function followRef(document: unknown, ref: string): unknown {
  return ref
    .slice("#/".length)
    .split("/")
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce(
      (inside, step) => (inside as Readonly<Record<string, unknown>> | undefined)?.[step],
      document,
    );
}
