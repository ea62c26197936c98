import type { DescEnum, DescMethod } from "@bufbuild/protobuf";
import type { JsonObject } from "@settle/proto-schemas/json/json-schema";
import { typeUrlPrefix, wellKnownForm } from "@settle/proto-schemas/json/well-known";
import { Refusal } from "@settle/proto-schemas/protos/complaints";
import type { Refer } from "@settle/proto-schemas/schemas/fields";
import type { Context } from "./context.ts";

/** The schema name of all errors over REST. */
export const statusName = "google.rpc.Status";

/** The HTTP status of each google.rpc.Code, as in Envoy and gRPC gateways. */
const httpStatuses: Readonly<Record<string, number>> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

type Reason = {
  readonly word: string;
  readonly text: string;
  readonly statuses: readonly string[];
};

/**
 * Returns the errors of a method by HTTP status: those that its option declares, and the common
 * ones. If the base file does not name an option, returns one default response.
 */
export function errorResponses(
  context: Context,
  method: DescMethod,
): Readonly<Record<string, JsonObject>> {
  const { errors } = context.base;
  const reasons = errors && context.extensions.types.getExtension(errors.extension)?.enum;
  if (!errors || !reasons) {
    return { default: response("An error.", []) };
  }
  const declared = context.extensions.read<readonly number[]>(method, errors.extension) ?? [];
  const common = errors.common.map((name) => {
    const value = reasons.values.find((known) => known.name === name);
    if (!value) {
      throw new Refusal(
        `${context.options.base}: errors.common: ${reasons.typeName} has no value ${name}`,
      );
    }
    return value.number;
  });
  const byStatus = new Map<string, Reason[]>();
  for (const number of new Set([...declared, ...common])) {
    const reason = readReason(context, reasons, number);
    for (const status of reason?.statuses ?? []) {
      byStatus.set(status, [...(byStatus.get(status) ?? []), ...(reason ? [reason] : [])]);
    }
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      response(
        group.map(({ word, text }) => `- \`${word}\`: ${text}`).join("\n"),
        group.map(({ word }) => word),
      ),
    ]),
  );
}

/**
 * Returns the schema of google.rpc.Status, which Envoy writes for every error. Its details are the
 * messages that the base file names, told apart by `@type`; any messages if it names none.
 */
export function statusSchema(context: Context, refer: Refer): JsonObject {
  const any = wellKnownForm("google.protobuf.Any") ?? {};
  const details = (context.base.errors?.details ?? []).map((typeName) => {
    const message = context.extensions.types.getMessage(typeName);
    if (message) return { url: `${typeUrlPrefix}${typeName}`, $ref: refer(message, "detail") };
    throw new Refusal(
      `${context.options.base}: errors.details names ${typeName}, which no proto of this run or its imports defines`,
    );
  });
  const known: JsonObject = {
    type: "object",
    oneOf: details.map(({ $ref }) => ({ $ref })),
    discriminator: {
      propertyName: "@type",
      mapping: Object.fromEntries(details.map(({ url, $ref }) => [url, $ref])),
    },
  };
  return {
    type: "object",
    description: "An error.",
    properties: {
      code: { type: "integer", format: "int32", description: "The google.rpc.Code." },
      message: { type: "string", description: "A human-readable description of the error." },
      details: {
        type: "array",
        description: "Machine-readable details of the error.",
        items: details.length === 0 ? any : known,
      },
    },
    required: context.options.defaults === "printed" ? ["code", "message", "details"] : undefined,
  };
}

/** The comment of a reason: `CODE with HTTP status 413 or 431, from the edge: description`. */
const reasonComment =
  /^([A-Z_]+)(?: with HTTP status (\d{3}(?:(?:,| or|, or) \d{3})*))?(, [^:]+)?:\s+/;

function readReason(context: Context, reasons: DescEnum, number: number): Reason | undefined {
  const value = reasons.value[number];
  if (!value) return undefined;
  const { text } = context.source.comment(value);
  const [head = "", code = "", statuses, origin = ""] = reasonComment.exec(text) ?? [];
  const usual = httpStatuses[code];
  if (usual === undefined) {
    context.complaints.add(
      value,
      `the comment of ${value.name} must start with a google.rpc.Code, such as "NOT_FOUND: ..."`,
    );
    return undefined;
  }
  const meaning = text.slice(head.length).replaceAll(/\s*\n\s*/g, " ");
  return {
    word: value.name.slice(reasons.sharedPrefix?.length ?? 0),
    text: origin === "" ? meaning : `${origin.slice(2)}: ${meaning}`,
    statuses: statuses?.match(/\d{3}/g) ?? [String(usual)],
  };
}

function response(description: string, reasons: readonly string[]): JsonObject {
  return {
    description,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${statusName}` } } },
    "x-error-reasons": reasons.length === 0 ? undefined : reasons,
  };
}
