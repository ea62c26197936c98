/**
 * What a failed statement or transaction means for its caller:
 * - `conflict`: it conflicted with another transaction; retrying the whole work may succeed at
 *   once.
 * - `locked`: it waited for a row lock of another transaction for longer than the lock timeout.
 * - `slow`: a statement exceeded its timeout; others will probably do so now as well.
 * - `busy`: all connections of the pool were in use for too long; nothing was sent to the database.
 * - `unavailable`: the database is unreachable or stopping; nothing will succeed at the moment.
 * - `refused`: the data itself cannot be stored; the same work will always fail.
 * - `unknown`: none of these, probably a bug of ours.
 */
export type DatabaseFailure =
  | "conflict"
  | "locked"
  | "slow"
  | "busy"
  | "unavailable"
  | "refused"
  | "unknown";

// PostgreSQL's error codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
const conflictCodes = new Set([
  "40001", // serialization failure
  "40P01", // deadlock
]);
const lockTimeout = "55P03";
const statementTimeout = "57014";
// 08: connection, 53: out of disk, memory or connections, 57P: server stopping, 58: its system.
const unavailableClass = /^(08|53|57P|58)/;
const unavailableCodes = new Set(["25006", "25P03"]); // read-only, idle in transaction
const connectionErrors = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);
// The driver reports these without a code.
const noFreeConnection = /^timeout exceeded when trying to connect/;
const lostConnection = /^Connection terminated|^timeout expired|^Client has encountered/;

/** Classifies an error thrown by a query or a transaction; see {@link DatabaseFailure}. */
export function failureOf(error: unknown): DatabaseFailure {
  const { code, message, routine, cause } = (error ?? {}) as {
    code?: string;
    message?: string;
    routine?: string;
    cause?: unknown;
  };
  if (typeof code === "string") {
    if (conflictCodes.has(code)) return "conflict";
    if (code === lockTimeout) return "locked";
    if (code === statementTimeout) return "slow";
    if (unavailableClass.test(code) || unavailableCodes.has(code) || connectionErrors.has(code)) {
      return "unavailable";
    }
    // A partition for the row was attached after this statement had begun.
    if (routine === "ExecPartitionCheckEmitError") return "conflict";
    // A missing partition is our fault, not the data's.
    if (routine === "ExecFindPartition") return "unknown";
    if (code.startsWith("22") || code.startsWith("23")) return "refused";
  }
  if (typeof message === "string") {
    if (noFreeConnection.test(message)) return "busy";
    if (lostConnection.test(message)) return "unavailable";
  }
  return cause === undefined ? "unknown" : failureOf(cause);
}

/** Whether `error` would affect any other work now as well, so that splitting a batch is no use. */
export function isSharedFailure(error: unknown): boolean {
  const failure = failureOf(error);
  return failure === "unavailable" || failure === "slow" || failure === "busy";
}

/**
 * Creates the error with which a transaction asks to be retried as a whole, because what it has
 * read is no longer true.
 */
export function transactionConflict(message: string): Error {
  return Object.assign(new Error(message), { code: "40001" });
}
