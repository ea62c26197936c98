import { followRef } from "@settle/proto-schemas/json/follow-ref";

/** Any part of a JSON document. */
export type Node = { readonly [key: string]: Node };

/** A request that consists of the examples in a document. */
export type ExampleRequest = {
  readonly method: string;
  /** The path with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined if the operation has none. */
  readonly body: unknown;
};

/** An operation of a document, and its location. */
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
 * Builds the request of an operation from examples only: with each parameter and field that has an
 * example. Throws if a required one has no example, or if one has several, of which only one would
 * be tested.
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

/** Returns the example of a schema, or one composed of the examples of its fields; or undefined. */
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

/** Returns the target of a `$ref`, or the node itself if it is not a `$ref`. */
function resolve(document: Node, node: Node): Node {
  if (!node.$ref) return node;
  const target = followRef(document, String(node.$ref));
  if (!target) throw new Error(`${node.$ref} has no target`);
  return target as Node;
}
