type Node = { readonly [key: string]: unknown };

/** Keywords that only describe a value: a schema with nothing else accepts any. */
const annotations: ReadonlySet<string> = new Set([
  ...["description", "examples", "deprecated", "readOnly", "writeOnly"],
  ...["x-cel", "x-stream"],
]);
/** Syntax of patterns that ECMAScript, Python and RE2 do not share: all groups but `(?:`, and so on. */
const unportable = /\(\?(?!:)|\\[1-9kuUpPAzZQEC]|\[\[:/;

/**
 * Returns what generators of clients cannot read in an OpenAPI document, one per line with its JSON
 * pointer; empty if there is nothing: parts of schemas (`allOf`, `anyOf`), a schema that restricts
 * values without one type (or null), and a pattern that does not mean the same in ECMAScript, Python
 * and RE2. What is below `not` counts as readable, because they ignore it.
 */
export function findUnreadable(document: unknown): readonly string[] {
  return find(document, "#");
}

function find(value: unknown, pointer: string): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) => {
    const below = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (key === "schema") return checkSchema(inside as Node, below);
    if (key === "schemas") return checkAll(inside, below);
    return find(inside, below);
  });
}

function checkAll(schemas: unknown, pointer: string): readonly string[] {
  return Object.entries((schemas ?? {}) as Readonly<Record<string, Node>>).flatMap(
    ([name, schema]) => checkSchema(schema, `${pointer}/${name.replaceAll("/", "~1")}`),
  );
}

function checkSchema(schema: Node, pointer: string): readonly string[] {
  const { $ref, type, pattern, properties, oneOf } = schema;
  const faults = Object.keys(schema)
    .filter((key) => key === "allOf" || key === "anyOf")
    .map((key) => `${pointer}: ${key}`);
  const isAny = Object.keys(schema).every((key) => annotations.has(key));
  const [one, ...others] = [type].flat().filter((name) => name !== "null");
  const hasOneType = typeof one === "string" && others.length === 0;
  if ($ref === undefined && !hasOneType && !isAny) faults.push(`${pointer}: no type`);
  if (typeof pattern === "string" && unportable.test(pattern)) {
    faults.push(`${pointer}: the pattern ${pattern}`);
  }
  const inside = ["items", "additionalProperties", "propertyNames"].flatMap((key) =>
    typeof schema[key] === "object" ? checkSchema(schema[key] as Node, `${pointer}/${key}`) : [],
  );
  return [
    ...faults,
    ...inside,
    ...checkAll(properties, `${pointer}/properties`),
    ...checkAll(oneOf, `${pointer}/oneOf`),
  ];
}
