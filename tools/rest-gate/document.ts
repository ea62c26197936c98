import { narrow } from "@settle/chassis/docs/schema-parts";
import { followRef } from "@settle/proto-schemas/json/follow-ref";

/** A part of an OpenAPI document. */
export type Node = { readonly [key: string]: unknown };

/** An OpenAPI document, as its operations. */
export type Document = {
  /** By HTTP method and path, with every parameter as `{}`: `GET /gateway/orders/{}`. */
  readonly operations: ReadonlyMap<string, Node>;
  /** Returns the target of `node`, or `node` itself, merged with its `allOf`. */
  resolve(node: unknown): Node;
};

/** Parses a document of our generator. */
export function readDocument(text: string): Document {
  const root = JSON.parse(text) as Node;
  const operations = new Map<string, Node>();
  for (const [path, item] of Object.entries(root.paths as Node)) {
    for (const [method, operation] of Object.entries(item as Node)) {
      const shape = path.replaceAll(/\{[^}]*\}/g, "{}");
      operations.set(`${method.toUpperCase()} ${shape}`, operation as Node);
    }
  }
  const find = (ref: string) => {
    const found = followRef(root, ref);
    if (!found) throw new Error(`the document does not contain ${ref}`);
    return found;
  };
  const resolve = (node: unknown): Node => {
    const { $ref: ref, allOf, ...beside } = (node ?? {}) as Node;
    const parts = ((allOf ?? []) as readonly unknown[]).map(resolve);
    return [...(typeof ref === "string" ? [resolve(find(ref))] : []), ...parts, beside].reduce(
      narrow<Node>,
    );
  };
  return { operations, resolve };
}

/** Returns a member that is an object; empty if missing. */
export function nodeAt(node: Node, key: string): Node {
  return (node[key] ?? {}) as Node;
}

/** Returns a member that is a list; empty if missing. */
export function listAt<T>(node: Node, key: string): readonly T[] {
  return (node[key] ?? []) as readonly T[];
}
