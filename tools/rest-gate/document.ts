/** A part of an OpenAPI document. */
export type Node = { readonly [key: string]: unknown };

/** An OpenAPI document, by its operations. */
export type Document = {
  /** By HTTP method and path, in which every parameter is `{}`: `GET /gateway/orders/{}`. */
  readonly operations: ReadonlyMap<string, Node>;
  /** Returns what `node` refers to, or itself. */
  resolve(node: unknown): Node;
};

/** Reads a document of our generator, as text. */
export function readDocument(text: string): Document {
  const root = JSON.parse(text) as Node;
  const operations = new Map<string, Node>();
  for (const [path, item] of Object.entries(root.paths as Node)) {
    for (const [method, operation] of Object.entries(item as Node)) {
      const shape = path.replaceAll(/\{[^}]*\}/g, "{}");
      operations.set(`${method.toUpperCase()} ${shape}`, operation as Node);
    }
  }
  return {
    operations,
    resolve(node) {
      const { $ref: ref, ...beside } = (node ?? {}) as Node;
      if (typeof ref !== "string") return (node ?? {}) as Node;
      const found = ref
        .slice(2)
        .split("/")
        .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"))
        .reduce<unknown>((inside, step) => (inside as Node | undefined)?.[step], root);
      if (!found) throw new Error(`the document does not hold ${ref}`);
      return { ...(found as Node), ...beside };
    },
  };
}

/** Returns a member that is an object; empty where there is none. */
export function nodeAt(node: Node, key: string): Node {
  return (node[key] ?? {}) as Node;
}

/** Returns a member that is a list; empty where there is none. */
export function listAt<T>(node: Node, key: string): readonly T[] {
  return (node[key] ?? []) as readonly T[];
}
