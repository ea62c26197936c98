import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { errorInfoOf, inDomain, refuse } from "../contract/errors.ts";
import { failureOf } from "../database/database-failure.ts";
import { quotaRefusals } from "../metrics/metrics.ts";
import { UserLockedError } from "../writes/aside.ts";
import { BatcherFullError } from "../writes/batcher.ts";
import type { CallOrigin } from "./active-call.ts";
import { tooManyWaiting } from "./fair-queue.ts";
import { createLineLimit } from "./line-limit.ts";

/** Lines about failed calls per second and reason; INTERNAL has no limit. */
const maxLinesPerSecond = 100;

/** Logs why a call has failed, and returns the refusal to answer with. */
export type FailedCalls = (origin: CallOrigin, error: unknown) => ConnectError;

/**
 * Creates what turns the errors of a server's calls into refusals that show only what is meant for
 * callers. Of many lines with the same reason, it writes only 100 per second.
 */
export function createFailedCalls(options: {
  /** The `domain` of every refusal. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Logger;
}): FailedCalls {
  const { domain, clock, log } = options;
  const mayLog = createLineLimit(maxLinesPerSecond, clock);

  return (origin, error) => {
    const refusal = inDomain(refusalOf(error, origin.requestId), domain);
    const { reason = "", metadata } = errorInfoOf(refusal) ?? {};
    if (reason === quotaExceeded) quotaRefusals.inc({ quota: metadata?.quota ?? "" });
    const level = levelOf(refusal.code, reason, origin.method);
    if (!log.isLevelEnabled(level)) return refusal;
    const omitted = level === "error" ? 0 : mayLog(reason);
    if (omitted === undefined) return refusal;
    log[level](
      {
        requestId: origin.requestId,
        rpc: `${origin.method.parent.typeName}/${origin.method.name}`,
        protocol: origin.protocol,
        code: Code[refusal.code],
        reason,
        ...(omitted > 0 && { omitted }),
        ...(refusal === error ? { refusal: refusal.rawMessage } : { err: error }),
      },
      "a call failed",
    );
    return refusal;
  };
}

const quotaExceeded: keyof typeof ErrorReason = "QUOTA_EXCEEDED";

const notNow = () =>
  refuse(
    Code.Unavailable,
    ErrorReason.UNAVAILABLE,
    "the service is temporarily unavailable; try again later",
  );

const internal = (requestId: string) =>
  refuse(Code.Internal, ErrorReason.INTERNAL, `internal error; the request id is ${requestId}`);

/** What the caller is shown of `error`: only what is meant for callers. */
function refusalOf(error: unknown, requestId: string): ConnectError {
  if (errorInfoOf(error)) return error as ConnectError;
  if (error instanceof BatcherFullError) return tooManyWaiting();
  if (error instanceof UserLockedError) {
    return refuse(Code.Unavailable, ErrorReason.UNAVAILABLE, error.message);
  }
  const failure = failureOf(error);
  if (failure === "busy") return tooManyWaiting();
  return failure === "refused" || failure === "unknown" ? internal(requestId) : notNow();
}

function levelOf(
  code: Code,
  reason: string,
  { methodKind }: DescMethod,
): "error" | "warn" | "info" | "debug" {
  // Most streams end like this: their client closes them.
  if (code === Code.DeadlineExceeded && methodKind !== "unary") return "debug";
  // There may be thousands; the quota itself logs that the user has reached it.
  if (reason === quotaExceeded) return "debug";
  if (code === Code.Internal) return "error";
  if (code === Code.Unavailable || code === Code.ResourceExhausted) return "warn";
  return "info";
}
