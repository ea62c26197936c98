import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import type { Context } from "./context.ts";
import { type PathTemplate, parsePathTemplate } from "./path-template.ts";

/** The set fields of google.api.HttpRule. */
type HttpRule = {
  readonly get?: string;
  readonly put?: string;
  readonly post?: string;
  readonly delete?: string;
  readonly patch?: string;
  readonly custom?: { readonly kind?: string; readonly path?: string };
  readonly body?: string;
  readonly response_body?: string;
  readonly additional_bindings?: readonly HttpRule[];
};

/** The HTTP methods of OpenAPI, in the order in which documents list them. */
export const httpMethods = [
  "get",
  "put",
  "post",
  "delete",
  "options",
  "head",
  "patch",
  "trace",
] as const;

/** The methods with a field in HttpRule; all others are custom. */
const ruleMethods = ["get", "put", "post", "delete", "patch"] as const;

/** An HTTP binding of a method. */
export type Binding = {
  readonly method: DescMethod;
  /** 0 for the rule itself, 1 and up for its additional bindings. */
  readonly index: number;
  readonly httpMethod: (typeof httpMethods)[number];
  readonly path: PathTemplate;
  /** The field path of each value in the path; empty for a wildcard outside of a variable. */
  readonly pathFields: readonly (readonly DescField[])[];
  /** All fields that the path sets: to its values, or to fixed text. */
  readonly saidByPath: readonly (readonly DescField[])[];
  /** `*` for the whole message, the field in the body, or undefined. */
  readonly body: "*" | DescField | undefined;
};

/**
 * Returns the HTTP bindings of `method`; empty without the option google.api.http. Adds a complaint
 * for each invalid binding and leaves it out.
 */
export function readBindings(
  context: Pick<Context, "complaints" | "extensions">,
  method: DescMethod,
): readonly Binding[] {
  const rule = context.extensions.read<HttpRule>(method, "google.api.http");
  if (rule === undefined) return [];
  return [rule, ...(rule.additional_bindings ?? [])].flatMap((binding, index) => {
    if (binding.response_body) {
      context.complaints.add(
        method,
        `response_body: "${binding.response_body}" of ${method.name}: Envoy ignores it and returns the whole message; remove it`,
      );
    }
    const read = readBinding(method, binding, index);
    if (!("fault" in read)) return [read];
    context.complaints.add(method, `${method.name}: ${read.fault}`);
    return [];
  });
}

function readBinding(
  method: DescMethod,
  rule: HttpRule,
  index: number,
): Binding | { readonly fault: string } {
  const named = ruleMethods.find((name) => rule[name] !== undefined);
  const httpMethod = named ?? httpMethods.find((name) => name === rule.custom?.kind?.toLowerCase());
  if (httpMethod === undefined) {
    const kind = rule.custom?.kind;
    return {
      fault: kind
        ? `OpenAPI has no operation for the HTTP method "${kind}"`
        : "its google.api.http rule has no HTTP method, such as get",
    };
  }
  const path = parsePathTemplate((named ? rule[named] : rule.custom?.path) ?? "");
  if ("fault" in path) return path;

  const pathFields: (readonly DescField[])[] = [];
  for (const segment of path.segments) {
    if (segment.kind === "literal") continue;
    const found = segment.field === "" ? [] : findField(method.input, segment.field);
    if ("fault" in found) return found;
    pathFields.push(found);
  }
  const saidByPath = pathFields.filter((found) => found.length > 0);
  for (const field of path.fixed) {
    const found = findField(method.input, field);
    if ("fault" in found) return found;
    saidByPath.push(found);
  }
  const binding = { method, index, httpMethod, path, pathFields, saidByPath };
  if (rule.body === undefined || rule.body === "*") return { ...binding, body: rule.body };
  const body = method.input.fields.find(({ name }) => name === rule.body);
  if (!body)
    return {
      fault: `the body is the field ${rule.body}, which ${method.input.typeName} does not have`,
    };
  return { ...binding, body };
}

function findField(
  message: DescMessage,
  path: string,
): readonly DescField[] | { readonly fault: string } {
  const fields: DescField[] = [];
  let inside: DescMessage | undefined = message;
  for (const name of path.split(".")) {
    const field: DescField | undefined = inside?.fields.find((known) => known.name === name);
    if (!field)
      return {
        fault: `the path contains the field ${path}, which ${message.typeName} does not have`,
      };
    fields.push(field);
    inside = field.fieldKind === "message" ? field.message : undefined;
  }
  const last = fields.at(-1);
  if (last?.fieldKind === "list" || last?.fieldKind === "map") {
    return { fault: `the path has the field ${path}, which is not a single value` };
  }
  return fields;
}
