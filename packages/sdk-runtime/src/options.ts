import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";

const keyBytes = 16;

/** What a call may say besides its request. */
export type CallOptions = {
  /** Ends the call, which rejects with the signal's reason then. */
  readonly signal?: AbortSignal | undefined;
  /** The time for the whole call, retries and pauses included. Default: the client's. */
  readonly timeoutMs?: number | undefined;
  /** How often the call may be tried again at most. Default: the client's. */
  readonly maxRetries?: number | undefined;
  /** Sent with the call, below what the SDK sends itself. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Is told the headers of the answer, for example `idempotency-replayed`. */
  readonly onHeaders?: ((headers: Headers) => void) | undefined;
};

/** What a call that changes something may say. */
export type WriteOptions = CallOptions & {
  /**
   * Names this call: another with the same key and request changes nothing more and gets the same
   * answer. 1 to 255 visible ASCII characters. Default: a random one per call, kept over its retries.
   */
  readonly idempotencyKey?: string | undefined;
};

/** What a call may say that can be held until it is settled. */
export type WaitOptions = WriteOptions & {
  /** For how many seconds, at most 10, to wait for the end. Default: the answer comes at once. */
  readonly waitS?: number | undefined;
};

/** What a watch may say besides its request. */
export type WatchOptions = Pick<CallOptions, "headers"> & {
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Whether to be told, too, that nothing has happened. Default: no. */
  readonly heartbeats?: boolean | undefined;
  /** Is told of each cut, and in how many milliseconds the stream is opened again. */
  readonly onCut?: ((error: Error, delayMs: number) => void) | undefined;
};

/** Whether repeating a call of the method does no harm by itself. */
export function isRead({ idempotency }: DescMethod): boolean {
  return idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}

/** The headers of all tries of one call, without the token. */
export function headersOf(method: DescMethod, options: WaitOptions): Headers {
  const headers = new Headers(options.headers);
  if (!isRead(method))
    headers.set("idempotency-key", options.idempotencyKey ?? createIdempotencyKey());
  if (options.waitS !== undefined) headers.set("prefer", `wait=${options.waitS}`);
  return headers;
}

/** Makes a random idempotency key, for what is to be done once over several calls. */
export function createIdempotencyKey(): string {
  // Not by randomUUID, which pages have only where their origin is secure.
  const bytes = crypto.getRandomValues(new Uint8Array(keyBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
