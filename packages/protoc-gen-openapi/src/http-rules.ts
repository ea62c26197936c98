import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import type { Context } from "./context.ts";
import { type PathTemplate, parsePathTemplate } from "./path-template.ts";

/** google.api.HttpRule, as far as it is set. */
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

/** The HTTP methods that OpenAPI has a place for, in the order in which documents list them. */
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

/** Those that a rule names by a field of its own; others are custom. */
const ruleMethods = ["get", "put", "post", "delete", "patch"] as const;

/** One of the ways by which a method is called over HTTP. */
export type Binding = {
  readonly method: DescMethod;
  /** 0 for the rule itself, then its additional bindings. */
  readonly index: number;
  readonly httpMethod: (typeof httpMethods)[number];
  readonly path: PathTemplate;
  /** The field path behind each value of the path, empty for a wildcard outside of a variable. */
  readonly pathFields: readonly (readonly DescField[])[];
  /** All fields that the path says: those of its values, and those that it fixes to a text. */
  readonly saidByPath: readonly (readonly DescField[])[];
  /** `*` for the whole message, the field that is the body, or undefined. */
  readonly body: "*" | DescField | undefined;
};

/**
 * Returns how `method` is called over HTTP; empty without a google.api.http option. A binding that
 * cannot be had is a complaint and left out.
 */
export function readBindings(context: Context, method: DescMethod): readonly Binding[] {
  const rule = context.extensions.read<HttpRule>(method, "google.api.http");
  if (rule === undefined) return [];
  return [rule, ...(rule.additional_bindings ?? [])].flatMap((binding, index) => {
    if (binding.response_body) {
      context.complaints.add(
        method,
        `response_body: "${binding.response_body}" of ${method.name}: Envoy ignores it and answers with the whole message`,
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
    return { fault: `OpenAPI has no place for the HTTP method "${rule.custom?.kind ?? ""}"` };
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
  if (!body) return { fault: `${method.input.typeName} has no field ${rule.body} for the body` };
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
    if (!field) return { fault: `${message.typeName} has no field ${path} for the path` };
    fields.push(field);
    inside = field.fieldKind === "message" ? field.message : undefined;
  }
  const last = fields.at(-1);
  if (last?.fieldKind === "list" || last?.fieldKind === "map") {
    return { fault: `the field ${path} of the path is no single value` };
  }
  return fields;
}
