import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@settle/gen/google/rpc/error_details_pb";

/** A field of a request, as a path of JSON names, and the rule that it violates. */
export type FieldViolation = { readonly field: string; readonly description: string };

/** The details of a failed call. */
export type SettleErrorFacts<Reason extends string = string> = {
  readonly code: Code;
  readonly reason: Reason;
  readonly message: string;
  readonly requestId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fieldViolations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
  readonly cause: unknown;
};

const tooLarge = "REQUEST_TOO_LARGE";
const passingCodes: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.ResourceExhausted,
  Code.Aborted,
  Code.DeadlineExceeded,
]);

/**
 * The error of a failed call. There is a subclass for each error reason of the contract; a reason
 * that is newer than this SDK uses this class.
 */
export class SettleError<Reason extends string = string> extends Error {
  override readonly name: string = "SettleError";
  /** The kind of failure, the same in every protocol. */
  readonly code: Code;
  /**
   * The stable error reason of the contract. If a response has none (a response of the edge itself,
   * a lost connection), it is the reason with the name of the code, such as `UNAVAILABLE`, or
   * empty.
   */
  readonly reason: Reason;
  /** Identifies the call in the logs; empty if there was no response. */
  readonly requestId: string;
  /** Machine-readable details, which depend on the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that violate a rule, if the reason is `VALIDATION_FAILED`. */
  readonly fieldViolations: readonly FieldViolation[];
  /** How long the server asks to wait before a retry. */
  readonly retryAfterMs: number | undefined;

  constructor(facts: SettleErrorFacts<Reason>) {
    super(facts.message, { cause: facts.cause });
    this.code = facts.code;
    this.reason = facts.reason;
    this.requestId = facts.requestId;
    this.metadata = facts.metadata;
    this.fieldViolations = facts.fieldViolations;
    this.retryAfterMs = facts.retryAfterMs;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    // If neither a reason nor a pause came with it, the client itself has refused a large message.
    const isFromClient = this.reason === "" && this.retryAfterMs === undefined;
    const isTooLarge = this.reason === tooLarge || isFromClient;
    return passingCodes.has(this.code) && !(this.code === Code.ResourceExhausted && isTooLarge);
  }
}

/** The classes by reason. */
export type ErrorClasses = Readonly<
  Record<string, new (facts: SettleErrorFacts<never>) => SettleError>
>;

/** Converts what a transport has thrown to the error of the call. */
export function settleErrorOf(thrown: unknown, classes: ErrorClasses): SettleError {
  if (thrown instanceof SettleError) return thrown;
  const error = ConnectError.from(thrown);
  const code = isCut(error) ? Code.Unavailable : error.code;
  const [info] = error.findDetails(ErrorInfoSchema);
  const [bad] = error.findDetails(BadRequestSchema);
  const reason = info?.reason || reasonLike(code, classes);
  const facts = {
    code,
    reason: reason as never,
    message: error.rawMessage,
    requestId: error.metadata.get("x-request-id") ?? "",
    metadata: info?.metadata ?? {},
    fieldViolations: (bad?.fieldViolations ?? []).map(({ field, description }) => ({
      field,
      description,
    })),
    retryAfterMs: retryAfterOf(error),
    cause: thrown,
  };
  const Class = Object.hasOwn(classes, reason) ? classes[reason] : undefined;
  return new (Class ?? SettleError)(facts);
}

/** Returns the error of a call whose signal has aborted; that of the client, if it was closed. */
export function abortErrorOf({ reason }: AbortSignal): SettleError {
  if (reason instanceof SettleError) return reason;
  return new SettleError({
    code: Code.Canceled,
    reason: "",
    message: "the call was aborted",
    requestId: "",
    metadata: {},
    fieldViolations: [],
    retryAfterMs: undefined,
    cause: reason,
  });
}

/** Whether the connection was lost: fetch throws a TypeError, connect-web a fixed message. */
function isCut({ code, cause }: ConnectError): boolean {
  return code === Code.Unknown && (cause instanceof TypeError || typeof cause === "string");
}

function reasonLike(code: Code, classes: ErrorClasses): string {
  const name = (Code[code] ?? "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  return Object.hasOwn(classes, name) ? name : "";
}

function retryAfterOf(error: ConnectError): number | undefined {
  const [{ retryDelay } = {}] = error.findDetails(RetryInfoSchema);
  if (retryDelay) return durationMs(retryDelay);
  const header = error.metadata.get("retry-after");
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}
