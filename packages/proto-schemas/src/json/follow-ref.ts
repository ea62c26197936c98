/** Returns the target of a `$ref`, such as `#/paths/~1orders/get`; undefined if there is none. */
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
