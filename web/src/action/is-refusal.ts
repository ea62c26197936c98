import { Code, IdempotencyKeyReusedError, SettleError } from "@settle/sdk";

/** The codes with which a service refuses a request after checking it and its key. */
const refusals: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
]);

/**
 * Whether an error proves that neither this attempt nor an earlier one with the same key had an
 * effect: if one had, the same key would have returned its response.
 */
export function isRefusal(error: unknown): boolean {
  // A reused key would be refused every time.
  if (error instanceof IdempotencyKeyReusedError) return true;
  return error instanceof SettleError && refusals.has(error.code);
}
