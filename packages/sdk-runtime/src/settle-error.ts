import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@settle/gen/google/rpc/error_details_pb";

/** A field of a request, by its path in JSON names, and the rule that it breaks. */
export type FieldViolation = { readonly field: string; readonly description: string };

/** What is known of a call that failed. */
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
 * Why a call failed. There is a class below this one for each reason of the contract; a reason that
 * is newer than this SDK comes as this class.
 */
export class SettleError<Reason extends string = string> extends Error {
  override readonly name: string = "SettleError";
  /** The kind of failure, the same in every protocol. */
  readonly code: Code;
  /**
   * The stable word of the contract. Where an answer brings none (the edge's own answers, a lost
   * connection) it is the one that is named like the code, such as `UNAVAILABLE`, or empty.
   */
  readonly reason: Reason;
  /** Finds the call in the logs; empty if no answer came. */
  readonly requestId: string;
  /** Facts for programs; which ones depends on the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that break a rule, where the reason is `VALIDATION_FAILED`. */
  readonly fieldViolations: readonly FieldViolation[];
  /** How long the server asks to be left alone before the next try. */
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

  /** Whether the same call may succeed later without a change. */
  get retryable(): boolean {
    return passingCodes.has(this.code) && this.reason !== tooLarge;
  }
}

/** The classes by reason. */
export type ErrorClasses = Readonly<
  Record<string, new (facts: SettleErrorFacts<never>) => SettleError>
>;

/** Makes the error that a call fails with from what its transport threw. */
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

/** Whether the connection broke: fetch says so by a TypeError, connect-web by a bare text. */
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
