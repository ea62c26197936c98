import { create, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason, ErrorReasonSchema } from "@settle/gen/errors/v1/errors_pb";
import {
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
} from "@settle/gen/google/rpc/error_details_pb";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";

const maxMessageLength = 500;

/** A field of a request, as a path of JSON names, and the rule that it violates. */
export type FieldViolation = { readonly field: string; readonly description: string };

export type RefusalDetails = {
  /** Metadata for programs; the caller sees the values. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
};

/**
 * Builds the error that a handler throws to refuse a call. The caller sees the code, the reason
 * without its prefix, the message (cut at 500 characters) and the details; the server adds its
 * domain. No other error of a handler is shown to the caller. Never put text of another system in
 * `message`.
 */
export function refuse(
  code: Code,
  reason: ErrorReason,
  message: string,
  { metadata = {}, violations = [] }: RefusalDetails = {},
): ConnectError {
  const word = ErrorReasonSchema.value[reason]?.localName ?? "UNSPECIFIED";
  const info = create(ErrorInfoSchema, { reason: word, metadata: { ...metadata } });
  const fields = create(BadRequestSchema, { fieldViolations: [...violations] });
  // A lone surrogate, perhaps from the cut, would make grpc-js throw while it encodes the message.
  const text = message.slice(0, maxMessageLength).toWellFormed();
  return new ConnectError(text, code, undefined, [
    { desc: ErrorInfoSchema, value: info },
    ...(violations.length > 0 ? [{ desc: BadRequestSchema, value: fields }] : []),
  ]);
}

/** Builds the refusal of a request whose fields violate rules: INVALID_ARGUMENT. */
export function refuseFields(violations: readonly FieldViolation[]): ConnectError {
  const text = violations
    .map(({ field, description }) => (field ? `${field}: ${description}` : description))
    .join("; ");
  return refuse(Code.InvalidArgument, ErrorReason.VALIDATION_FAILED, text, { violations });
}

/** Returns the reason, domain and metadata of an error built by {@link refuse}; else undefined. */
export function errorInfoOf(error: unknown): ErrorInfo | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  for (const detail of error.details) {
    if ("desc" in detail && detail.desc === ErrorInfoSchema) return detail.value as ErrorInfo;
  }
  return undefined;
}

/** Returns the error as a `google.rpc.Status`, the value of `grpc-status-details-bin`. */
export function statusBytesOf(error: ConnectError): Uint8Array {
  const details = error.details.flatMap((detail) =>
    "desc" in detail ? [anyPack(detail.desc, create(detail.desc, detail.value))] : [],
  );
  const status = create(StatusSchema, { code: error.code, message: error.rawMessage, details });
  return toBinary(StatusSchema, status);
}

/** Returns the error as the JSON that REST callers get: a numeric code, the message, details. */
export function errorJsonOf(error: ConnectError): JsonValue {
  const details = error.details.flatMap((detail) => {
    if (!("desc" in detail)) return [];
    const json = toJson(detail.desc, create(detail.desc, detail.value)) as Record<
      string,
      JsonValue
    >;
    return [{ "@type": `type.googleapis.com/${detail.desc.typeName}`, ...json }];
  });
  return { code: error.code, message: error.rawMessage, details };
}
