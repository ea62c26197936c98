import { followRef } from "@settle/proto-schemas/json/follow-ref";

type Node = { readonly [key: string]: unknown };

/** The facts of a document about an operation, without names that a generator may choose. */
export type Facts = {
  /** `<service>_<method>`. */
  readonly method: string;
  readonly pathParameters: number;
  /** The names of query parameters, with a `*` after required ones. */
  readonly query: readonly string[];
  /** The names of the body's properties, with `*` as above; undefined without a body. */
  readonly body: readonly string[] | undefined;
  readonly answer: readonly string[];
  readonly statuses: readonly string[];
  readonly deprecated: boolean;
};

/**
 * Facts by operation: the package, the HTTP method, and the path with every parameter as `{}`.
 */
export type FactsByOperation = ReadonlyMap<string, Facts>;

/** Reads the facts of `documents`, one per package. */
export function readFacts(
  documents: readonly { readonly package: string; readonly content: string }[],
): FactsByOperation {
  const facts = new Map<string, Facts>();
  for (const { package: name, content } of documents) {
    const document = JSON.parse(content) as Node;
    for (const [path, item] of Object.entries((document.paths ?? {}) as Node)) {
      for (const [method, operation] of Object.entries(item as Node)) {
        const shape = path.replaceAll(/\{[^}]*\}/g, "{}");
        const key = `${name} ${method.toUpperCase()} ${shape}`;
        facts.set(key, readOperation(document, operation as Node));
      }
    }
  }
  return facts;
}

function readOperation(document: Node, operation: Node): Facts {
  const parameters = ((operation.parameters ?? []) as readonly Node[]).map((parameter) =>
    resolve(document, parameter),
  );
  const responses = operation.responses as Node;
  const body = operation.requestBody as Node | undefined;
  return {
    // Both generators append the number of the binding, but start from different numbers.
    method: String(operation.operationId).replace(/_\d+$/, ""),
    pathParameters: parameters.filter((parameter) => parameter.in === "path").length,
    query: parameters
      .filter((parameter) => parameter.in === "query")
      .map((parameter) => `${parameter.name}${parameter.required === true ? "*" : ""}`)
      .sort(),
    body: body && readContent(document, resolve(document, body)),
    answer: readContent(document, (responses["200"] ?? {}) as Node),
    statuses: Object.keys(responses).sort(),
    deprecated: operation.deprecated === true,
  };
}

function readContent(document: Node, holder: Node): readonly string[] {
  const [content] = Object.values((holder.content ?? {}) as Node) as readonly Node[];
  const schema = resolve(document, (content?.schema ?? {}) as Node);
  const required = (schema.required ?? []) as readonly string[];
  // The other generator puts properties of oneofs into parts.
  const parts = [schema, ...((schema.allOf ?? []) as readonly Node[])].map((part) =>
    resolve(document, part),
  );
  const names = new Set(parts.flatMap(propertiesOf));
  if (names.size === 0) return [`(${schema.type ?? "any"})`];
  return [...names].sort().map((name) => (required.includes(name) ? `${name}*` : name));
}

function propertiesOf(schema: Node): readonly string[] {
  const branches = ["oneOf", "anyOf"].flatMap((key) => (schema[key] ?? []) as readonly Node[]);
  return [...Object.keys((schema.properties ?? {}) as Node), ...branches.flatMap(propertiesOf)];
}

function resolve(document: Node, node: Node): Node {
  return typeof node.$ref === "string" ? ((followRef(document, node.$ref) ?? {}) as Node) : node;
}
