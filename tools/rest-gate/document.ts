/** A part of an OpenAPI document. */
export type Node = { readonly [key: string]: unknown };

/** An OpenAPI document, by its operations. */
export type Document = {
  /** By HTTP method and path, in which every parameter is `{}`: `GET /gateway/orders/{}`. */
  readonly operations: ReadonlyMap<string, Node>;
  /** Returns what `node` refers to, or itself, with what an `allOf` of it adds and narrows. */
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
  const resolve = (node: unknown): Node => {
    const { $ref: ref, allOf, ...beside } = (node ?? {}) as Node;
    const parts = ((allOf ?? []) as readonly unknown[]).map(resolve);
    const found = typeof ref === "string" ? [resolve(find(root, ref))] : [];
    return [...found, ...parts, beside].reduce(narrow);
  };
  return { operations, resolve };
}

function find(root: Node, ref: string): unknown {
  const found = ref
    .slice(2)
    .split("/")
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((inside, step) => (inside as Node | undefined)?.[step], root);
  if (!found) throw new Error(`the document does not hold ${ref}`);
  return found;
}

/** What is both: our generator lets a later part only add to an earlier one, or narrow it. */
function narrow(one: Node, other: Node): Node {
  const properties = { ...nodeAt(one, "properties") };
  for (const [name, property] of Object.entries(nodeAt(other, "properties"))) {
    properties[name] = name in properties ? { allOf: [properties[name], property] } : property;
  }
  const required = new Set([...listAt(one, "required"), ...listAt(other, "required")]);
  return {
    ...one,
    ...other,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.size > 0 && { required: [...required] }),
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
