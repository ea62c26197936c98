import { followRef } from "@settle/proto-schemas/follow-ref";

/** Any part of a JSON document. */
export type Node = { readonly [key: string]: Node };

/** A request made of nothing but what a document gives as examples. */
export type ExampleRequest = {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where the operation takes none. */
  readonly body: unknown;
};

/** One operation of a document, with where it is. */
export type Operation = {
  readonly id: string;
  readonly method: string;
  readonly template: string;
  readonly node: Node;
  /** The JSON pointer of the operation, as a URI fragment. */
  readonly pointer: string;
};

const methods = ["get", "put", "post", "delete", "patch"];

/** Lists the operations of a document. */
export function listOperations(document: Node): readonly Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([template, item]) =>
    Object.entries(item)
      .filter(([method]) => methods.includes(method))
      .map(([method, node]) => ({
        id: String(node.operationId),
        method: method.toUpperCase(),
        template,
        node,
        pointer: `#/paths/${encodeURIComponent(template.replaceAll("/", "~1"))}/${method}`,
      })),
  );
}

/**
 * Builds the request of an operation from examples alone: every parameter and every field that has
 * one. Throws where something that is required has none, and where something has several, of which
 * all but one would go untried.
 */
export function exampleRequest(document: Node, operation: Operation): ExampleRequest {
  const { id, method, template, node } = operation;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  let path = template;
  for (const listed of Object.values(node.parameters ?? {})) {
    const parameter = resolve(document, listed);
    const name = String(parameter.name);
    const example = exampleOf(document, parameter.schema);
    if (example === undefined) {
      if (parameter.required) throw new Error(`${id} has no example of its parameter ${name}`);
      continue;
    }
    const text = String(example);
    if (String(parameter.in) === "path") path = path.replace(`{${name}}`, encodeURIComponent(text));
    else if (String(parameter.in) === "query") query.set(name, text);
    else headers[name] = text;
  }
  const body = node.requestBody?.content?.["application/json"]?.schema;
  const bodyExample = body && exampleOf(document, body);
  if (body && bodyExample === undefined) throw new Error(`${id} has no example of its body`);
  return {
    method,
    path: query.size > 0 ? `${path}?${query}` : path,
    headers: { ...headers, ...(body ? { "content-type": "application/json" } : {}) },
    body: bodyExample,
  };
}

/** The example of a schema, or one that is put together from those of its fields; or undefined. */
function exampleOf(document: Node, schema: Node | undefined): unknown {
  if (schema === undefined) return undefined;
  const examples = Object.values(schema.examples ?? {});
  if (examples.length > 1) throw new Error(`more than one example: ${JSON.stringify(examples)}`);
  if (examples.length === 1) return examples[0];
  if (schema.$ref) return exampleOf(document, resolve(document, schema));
  for (const part of Object.values(schema.allOf ?? {})) {
    const example = exampleOf(document, part);
    if (example !== undefined) return example;
  }
  return schema.properties || String(schema.type) === "object"
    ? fieldsOf(document, schema)
    : undefined;
}

function fieldsOf(document: Node, schema: Node): unknown {
  const required = Object.values(schema.required ?? {}).map(String);
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const example = exampleOf(document, field);
    return example === undefined ? [] : [[name, example] as const];
  });
  const has = new Set(fields.map(([name]) => name));
  return required.every((name) => has.has(name)) ? Object.fromEntries(fields) : undefined;
}

/** What a `$ref` leads to; the node itself if it is none. */
function resolve(document: Node, node: Node): Node {
  if (!node.$ref) return node;
  const target = followRef(document, String(node.$ref));
  if (!target) throw new Error(`${node.$ref} leads nowhere`);
  return target as Node;
}
