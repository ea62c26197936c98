import { Code, IdempotencyKeyReusedError, SettleError } from "@settle/sdk";

/** The codes of a service that has looked at the request, and at its key, and has said no. */
const refusals: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
]);

/**
 * Whether an error says for certain that nothing has been done, by this try or by one before it with
 * the same key: had one of those been taken, the same key would have brought its answer.
 */
export function isRefusal(error: unknown): boolean {
  // With a reused key it would be refused for ever.
  if (error instanceof IdempotencyKeyReusedError) return true;
  return error instanceof SettleError && refusals.has(error.code);
}
