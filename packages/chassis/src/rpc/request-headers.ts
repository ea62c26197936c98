import type { ConnectError } from "@connectrpc/connect";
import { refuseFields } from "../contract/errors.ts";

/** Returns the caller's own request id if it is safe for logs and headers, otherwise a new one. */
export function requestIdOf(given: unknown, newId: () => string): string {
  return typeof given === "string" && /^[!-~]{1,128}$/.test(given) ? given : newId();
}

const timeouts = [
  { name: "connect-timeout-ms", valid: /^\d{1,10}$/, rule: "must be 1 to 10 digits" },
  {
    name: "grpc-timeout",
    valid: /^\d{1,8}[HMSmun]$/,
    rule: "must be 1 to 8 digits and a unit: H, M, S, m, u or n",
  },
] as const;
// Their days exceed the range of a timer.
const endless = /^(\d{8,}|\d{3,}H|\d{5,}M|\d{7,}S)$/;

/**
 * Prepares the headers of a request for both libraries, which would misread some. Removes a timeout
 * of days, which is as good as none. Removes an invalid timeout and returns the refusal of the
 * request. Replaces a token or an idempotency key by an empty one, which is refused, if it is sent
 * more than once or is not printable ASCII: Node drops the second of two tokens and joins two keys,
 * and grpc-js drops a key that is not ASCII. `raw` contains names and values in turn.
 */
export function prepareHeaders(
  headers: Record<string, unknown>,
  raw: readonly string[],
): ConnectError | undefined {
  for (const name of ["authorization", "idempotency-key"]) {
    const value = headers[name];
    if (typeof value !== "string") continue;
    if (/[^ -~]/.test(value) || isRepeated(raw, name)) headers[name] = "";
  }
  let refusal: ConnectError | undefined;
  for (const { name, valid, rule } of timeouts) {
    if (headers[name] === undefined) continue;
    const value = String(headers[name]);
    if (!valid.test(value)) refusal = refuseFields([{ field: name, description: rule }]);
    if (refusal || endless.test(value)) delete headers[name];
  }
  return refusal;
}

function isRepeated(raw: readonly string[], name: string): boolean {
  let count = 0;
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]?.length === name.length && raw[at]?.toLowerCase() === name) count += 1;
  }
  return count > 1;
}
