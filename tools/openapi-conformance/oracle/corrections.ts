import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { httpBody, isOneValue } from "@settle/proto-schemas/json/well-known";
import { readFieldBehavior } from "@settle/proto-schemas/protos/field-behavior";
import { isRequiredInRequest } from "@settle/proto-schemas/schemas/fields";
import { hasOwnSchema, isHidden, isRequiredBeside } from "@settle/proto-schemas/schemas/messages";
import type { Context } from "../../../packages/protoc-gen-openapi/src/context.ts";
import type { Binding } from "../../../packages/protoc-gen-openapi/src/http-rules.ts";
import type { Facts } from "./facts.ts";
import { isClientStream } from "./ours.ts";
import type { known } from "./reasons.ts";

type Correction = (facts: Facts, binding: Binding, context: Context) => Facts;

/**
 * Corrections that convert the facts of grpc-gateway's generator to ours, by known difference, in
 * this order. Each depends on the protos only, so a wrong one leaves the facts different.
 */
export const corrections: Partial<Readonly<Record<keyof typeof known, Correction>>> = {
  httpBody: (facts, { body, method }) => {
    const input = body === "*" ? method.input : body?.message;
    return {
      ...facts,
      ...(input?.typeName === httpBody && { body: ["(any)"] }),
      ...(method.output.typeName === httpBody && { answer: ["(any)"] }),
    };
  },

  emptyBody: (facts, { body, method, saidByPath }) => {
    const fields = body === "*" ? method.input.fields : body && [body];
    const isSaid = fields?.every((field) => isHidden(field, saidByPath)) === true;
    return isSaid && !isClientStream(method) && hasOwnSchema(method.input)
      ? { ...facts, body: undefined }
      : facts;
  },

  clientStream: (facts, { body, method }) => {
    return isClientStream(method) && body === "*" ? { ...facts, body: ["(array)"] } : facts;
  },

  saidByPath: (facts, binding) => {
    const { body, saidByPath } = binding;
    if (facts.body === undefined || body === undefined || body === "*") return facts;
    const inside = saidByPath.flatMap((path) => (path[0] === body ? [path.slice(1)] : []));
    if (inside.length === 0) return facts;
    const left = editBody(facts, binding, (field) => (isHidden(field, inside) ? "drop" : "keep"));
    return left.body?.length === 0 ? { ...left, body: ["(object)"] } : left;
  },

  thereByPath: (facts, binding, context) =>
    binding.body !== "*"
      ? facts
      : editBody(facts, binding, (field) =>
          binding.saidByPath.some((path) => path.length > 1 && path[0] === field) &&
          !isRequiredBeside(context, field, "request", binding.saidByPath)
            ? "optional"
            : "keep",
        ),

  pathInQuery: (facts, { method, saidByPath }) =>
    editQuery(facts, method.input, (path) =>
      saidByPath.some((said) => said.length === path.length && said.every((f, i) => f === path[i]))
        ? "drop"
        : "keep",
    ),

  noQueryForm: (facts, { method }) =>
    editQuery(facts, method.input, (path) => {
      const last = path.at(-1);
      const message = last?.message;
      if (!message || last.fieldKind === "map") return last?.fieldKind === "map" ? "drop" : "keep";
      return message.typeName === "google.protobuf.Empty" || !isOneValue(message.typeName)
        ? "drop"
        : "keep";
    }),

  endless: (facts, { method }) =>
    editQuery(facts, method.input, (path) => {
      const messages = [method.input, ...path.slice(0, -1).map(({ message }) => message)];
      return new Set(messages).size < messages.length ? "drop" : "keep";
    }),

  readOnly: (facts, binding, context) => {
    const isReadOnly = (field: DescField) => readFieldBehavior(context, field).outputOnly;
    const withQuery = editQuery(facts, binding.method.input, (path) =>
      path.some(isReadOnly) ? "drop" : "keep",
    );
    return editBody(withQuery, binding, (field) => (isReadOnly(field) ? "optional" : "keep"));
  },

  writeOnly: (facts, binding, context) =>
    editAnswer(facts, binding, (field) =>
      readFieldBehavior(context, field).inputOnly ? "optional" : "keep",
    ),

  oneofRequired: (facts, binding) => {
    const judge = ({ oneof }: DescField) => (oneof ? "optional" : "keep");
    const withBody = editBody(facts, binding, judge);
    const withAnswer = editAnswer(withBody, binding, judge);
    return editQuery(withAnswer, binding.method.input, (path) =>
      path.some(({ oneof }) => oneof) ? "optional" : "keep",
    );
  },

  nestedRequired: (facts, { method }, context) =>
    editQuery(facts, method.input, (path) =>
      path.every((field) => isRequiredInRequest(context, field)) ? "keep" : "optional",
    ),

  rules: (facts, binding, context) => {
    const hasRule = (field: DescField) =>
      context.extensions.read<object>(field, "buf.validate.field") !== undefined;
    const isNeeded = (field: DescField) => hasRule(field) && isRequiredInRequest(context, field);
    const withBody = editBody(facts, binding, (field) => (isNeeded(field) ? "needed" : "keep"));
    return editQuery(withBody, binding.method.input, (path) =>
      path.every((field) => isRequiredInRequest(context, field)) && path.some(isNeeded)
        ? "needed"
        : "keep",
    );
  },

  legacyRequired: (facts, binding) => {
    const judge = (field: DescField) =>
      field.presence === Presence.LEGACY_REQUIRED ? "needed" : "keep";
    return editAnswer(editBody(facts, binding, judge), binding, judge);
  },

  wildcard: (facts, { pathFields }) => ({ ...facts, pathParameters: pathFields.length }),
};

/** How a name changes; `needed` and `optional` add and remove its `*`. */
type Verdict = "keep" | "drop" | "needed" | "optional";

function edit(
  names: readonly string[],
  judge: (name: string) => Verdict | undefined,
): readonly string[] {
  return names.flatMap((written) => {
    const name = written.replace(/\*$/, "");
    const verdict = judge(name);
    if (verdict === "drop") return [];
    if (verdict === "needed") return [`${name}*`];
    return [verdict === "optional" ? name : written];
  });
}

function editQuery(
  facts: Facts,
  input: DescMessage,
  judge: (path: readonly DescField[]) => Verdict,
): Facts {
  const query = edit(facts.query, (name) => {
    const path: DescField[] = [];
    let inside: DescMessage | undefined = input;
    // Maps are written with their key: `labels[string]`.
    for (const step of name.replace(/\[.*$/, "").split(".")) {
      const field: DescField | undefined = inside?.fields.find(({ jsonName }) => jsonName === step);
      if (!field) return "keep";
      path.push(field);
      inside = field.message;
    }
    return judge(path);
  });
  return { ...facts, query };
}

function editBody(facts: Facts, binding: Binding, judge: (field: DescField) => Verdict): Facts {
  const { body, method } = binding;
  const message = body === "*" ? method.input : body?.fieldKind === "message" && body.message;
  if (!message || facts.body === undefined) return facts;
  return { ...facts, body: editFields(facts.body, message, judge) };
}

function editAnswer(facts: Facts, { method }: Binding, judge: (field: DescField) => Verdict) {
  return { ...facts, answer: editFields(facts.answer, method.output, judge) };
}

function editFields(
  names: readonly string[],
  message: DescMessage,
  judge: (field: DescField) => Verdict,
): readonly string[] {
  return edit(names, (name) => {
    const field = message.fields.find(({ jsonName }) => jsonName === name);
    return field && judge(field);
  });
}
