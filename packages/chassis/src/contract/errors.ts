import { create, toBinary } from "@bufbuild/protobuf";
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
const defaultRetryAfterS = 1;
const maxViolations = 10;
const maxViolationLength = 200;

/** A field of a request, as a path of JSON names, and the rule that it violates. */
export type FieldViolation = { readonly field: string; readonly description: string };

export type RefusalDetails = {
  /** Metadata for programs; the caller sees the values. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  /** After how many seconds to try again, for RESOURCE_EXHAUSTED; default 1. */
  readonly retryAfterS?: number;
};

/**
 * Builds the error that a handler throws to refuse a call. The caller sees the code, the reason
 * without its prefix, the message (cut at 500 characters) and the details; the server adds its
 * domain. No other error of a handler is shown to the caller. Never put text of another system in
 * `message`.
 *
 * A refusal with RESOURCE_EXHAUSTED also says in the header `retry-after` after how many seconds to
 * try again, except one of a request that is too large.
 */
export function refuse(
  code: Code,
  reason: ErrorReason,
  message: string,
  { metadata = {}, violations = [], retryAfterS = defaultRetryAfterS }: RefusalDetails = {},
): ConnectError {
  const word = ErrorReasonSchema.value[reason]?.localName ?? "UNSPECIFIED";
  const info = create(ErrorInfoSchema, { reason: word, metadata: { ...metadata } });
  const fields = create(BadRequestSchema, { fieldViolations: [...violations] });
  // A lone surrogate, perhaps from the cut, would make grpc-js throw while it encodes the message.
  const text = message.slice(0, maxMessageLength).toWellFormed();
  const passes = code === Code.ResourceExhausted && reason !== ErrorReason.REQUEST_TOO_LARGE;
  const headers = passes ? { "retry-after": String(retryAfterS) } : undefined;
  return new ConnectError(text, code, headers, [
    { desc: ErrorInfoSchema, value: info },
    ...(violations.length > 0 ? [{ desc: BadRequestSchema, value: fields }] : []),
  ]);
}

/** Builds the refusal of a request that cannot be read: INVALID_ARGUMENT. */
export function malformed(message: string): ConnectError {
  return refuse(Code.InvalidArgument, ErrorReason.MALFORMED_REQUEST, message);
}

/** Refuses a request with VALIDATION_FAILED. Names at most ten of the fields. */
export function refuseFields(violations: readonly FieldViolation[]): ConnectError {
  const shown = violations.slice(0, maxViolations).map(({ field, description }) => ({
    field: field.slice(0, maxViolationLength).toWellFormed(),
    description: description.slice(0, maxViolationLength).toWellFormed(),
  }));
  const text = shown
    .map(({ field, description }) => (field ? `${field}: ${description}` : description))
    .join("; ");
  return refuse(Code.InvalidArgument, ErrorReason.VALIDATION_FAILED, text, { violations: shown });
}

/** Which quota of a user is used up, as programs read it in the metadata of the refusal. */
export type UsedQuota = {
  /** The name: stable, in snake case. */
  readonly quota: string;
  readonly limit: number;
  /** When the same call may succeed; the caller sees whole seconds, rounded up. */
  readonly retryAfterMs: number;
};

/** Refuses a call with QUOTA_EXCEEDED. `rule` says what a user may do; when to retry is added. */
export function refuseOverQuota(used: UsedQuota, rule: string): ConnectError {
  const { quota, limit } = used;
  const retryAfterS = Math.max(1, Math.ceil(used.retryAfterMs / 1_000));
  return refuse(
    Code.ResourceExhausted,
    ErrorReason.QUOTA_EXCEEDED,
    `${rule}; try again in ${retryAfterS} s`,
    {
      metadata: { quota, limit: String(limit), retry_after_seconds: String(retryAfterS) },
      retryAfterS,
    },
  );
}

/** Returns the reason, domain and metadata of an error built by {@link refuse}; else undefined. */
export function errorInfoOf(error: unknown): ErrorInfo | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  for (const detail of error.details) {
    if ("desc" in detail && detail.desc === ErrorInfoSchema) return detail.value as ErrorInfo;
  }
  return undefined;
}

/** Sets the domain of an error built by {@link refuse}, and returns the error. */
export function inDomain(error: ConnectError, domain: string): ConnectError {
  const info = errorInfoOf(error);
  if (info) info.domain = domain;
  return error;
}

/** Returns the error as a `google.rpc.Status`, the value of `grpc-status-details-bin`. */
export function statusBytesOf(error: ConnectError): Uint8Array {
  const details = error.details.flatMap((detail) =>
    "desc" in detail ? [anyPack(detail.desc, create(detail.desc, detail.value))] : [],
  );
  const status = create(StatusSchema, { code: error.code, message: error.rawMessage, details });
  return toBinary(StatusSchema, status);
}
