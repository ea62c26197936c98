/** Returns the caller's own request id if it is fit for logs and headers, else a new one. */
export function requestIdOf(given: unknown, newId: () => string): string {
  return typeof given === "string" && /^[!-~]{1,128}$/.test(given) ? given : newId();
}

/**
 * Drops timeouts of days, as good as none: both libraries would count them beyond what a timer
 * holds, and end the call at once.
 */
export function dropEndlessTimeouts(headers: Record<string, unknown>): void {
  for (const name of ["connect-timeout-ms", "grpc-timeout"]) {
    const value = headers[name];
    if (value !== undefined && /^(\d{8,}|\d{3,}H|\d{5,}M|\d{7,}S)$/.test(String(value))) {
      delete headers[name];
    }
  }
}

/**
 * Empties an idempotency key that is not printable ASCII, so that it is refused: grpc-js would drop
 * such a header, and the call would take effect without its key.
 */
export function emptyOddKey(headers: Record<string, unknown>): void {
  const key = headers["idempotency-key"];
  if (typeof key === "string" && /[^ -~]/.test(key)) headers["idempotency-key"] = "";
}
