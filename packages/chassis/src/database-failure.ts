/**
 * What a failed statement or transaction means for whoever asked for it:
 * - `conflict`: it met another transaction; the same work may succeed at once, run whole again.
 * - `unavailable`: the database cannot be reached or is going away; nothing at all will succeed now.
 * - `refused`: the data itself cannot be stored; the same work will always fail.
 * - `unknown`: none of these, probably a fault of our own.
 */
export type DatabaseFailure = "conflict" | "unavailable" | "refused" | "unknown";

// PostgreSQL's error codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
const conflictCodes = new Set([
  "40001", // serialization failure
  "40P01", // deadlock
  "55P03", // lock timeout
  "57014", // statement timeout
]);
const unavailableCodes = new Set(["57P01", "57P02", "57P03", "53300", "25006"]);
const connectionErrors = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND"]);
// The driver reports these without a code.
const lostConnection = /^Connection terminated|^timeout (exceeded|expired)|^Client has encountered/;

/** Says what `error`, as thrown by a query or a transaction, means; see {@link DatabaseFailure}. */
export function failureOf(error: unknown): DatabaseFailure {
  const { code, message, cause } = (error ?? {}) as {
    code?: string;
    message?: string;
    cause?: unknown;
  };
  if (typeof code === "string") {
    if (conflictCodes.has(code)) return "conflict";
    if (unavailableCodes.has(code) || connectionErrors.has(code) || code.startsWith("08")) {
      return "unavailable";
    }
    if (code.startsWith("22") || code.startsWith("23")) return "refused";
  }
  if (typeof message === "string" && lostConnection.test(message)) return "unavailable";
  return cause === undefined ? "unknown" : failureOf(cause);
}

/**
 * Makes the error by which a transaction asks to be run whole again, because what it had read is no
 * longer true.
 */
export function transactionConflict(message: string): Error {
  return Object.assign(new Error(message), { code: "40001" });
}
