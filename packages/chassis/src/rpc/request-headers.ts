/** Returns the caller's own request id if it is safe for logs and headers, otherwise a new one. */
export function requestIdOf(given: unknown, newId: () => string): string {
  return typeof given === "string" && /^[!-~]{1,128}$/.test(given) ? given : newId();
}

/**
 * Drops timeouts of days, which are as good as none: with both libraries they exceed the range of a
 * timer and would end the call at once.
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
 * Replaces an idempotency key that is not printable ASCII by an empty one, so that it is refused.
 * grpc-js would drop such a header, and the call would take effect without its key.
 */
export function emptyOddKey(headers: Record<string, unknown>): void {
  const key = headers["idempotency-key"];
  if (typeof key === "string" && /[^ -~]/.test(key)) headers["idempotency-key"] = "";
}
