import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";

const keyBytes = 16;

/** The options of a call. */
export type CallOptions = {
  /**
   * Cancels the call, which then rejects with a `SettleError` that has the code `Canceled` and the
   * signal's reason as its `cause`.
   */
  readonly signal?: AbortSignal | undefined;
  /** The timeout of the whole call, including retries and pauses. Default: the client's. */
  readonly timeoutMs?: number | undefined;
  /** The maximum number of retries. Default: the client's. */
  readonly maxRetries?: number | undefined;
  /** Additional headers. Those that the SDK itself sends take precedence. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Called with the headers of the response, for example `idempotency-replayed`. */
  readonly onHeaders?: ((headers: Headers) => void) | undefined;
};

/** The options of a call that changes something. */
export type WriteOptions = CallOptions & {
  /**
   * Identifies this call: another call with the same key and request has no further effect and gets
   * the same response. 1 to 255 visible ASCII characters. Default: a random key for each call,
   * which its retries share.
   */
  readonly idempotencyKey?: string | undefined;
};

/** The options of a call that can wait until the order has settled. */
export type WaitOptions = WriteOptions & {
  /** How many seconds to wait for the order to settle, at most 10. Default: do not wait. */
  readonly waitS?: number | undefined;
};

/** The options of a watch. */
export type WatchOptions = Pick<CallOptions, "headers"> & {
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Whether to yield heartbeats as well. Default: no. */
  readonly heartbeats?: boolean | undefined;
  /** Called on each interruption, with the milliseconds until the stream is reopened. */
  readonly onCut?: ((error: Error, delayMs: number) => void) | undefined;
};

/** Whether a call of the method can be repeated safely without a key. */
export function isRead({ idempotency }: DescMethod): boolean {
  return idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}

/** Returns the headers of every attempt of a call, without the token. */
export function headersOf(method: DescMethod, options: WaitOptions): Headers {
  const headers = new Headers(options.headers);
  if (!isRead(method))
    headers.set("idempotency-key", options.idempotencyKey ?? createIdempotencyKey());
  if (options.waitS !== undefined) headers.set("prefer", `wait=${options.waitS}`);
  return headers;
}

/**
 * Creates a random idempotency key, for an action that must take effect once over several calls.
 */
export function createIdempotencyKey(): string {
  // Not randomUUID, which is available to pages in a secure context only.
  const bytes = crypto.getRandomValues(new Uint8Array(keyBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
