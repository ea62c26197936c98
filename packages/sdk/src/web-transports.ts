import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import type { TransportFactory } from "./settle.ts";

/** What is sent by `fetch` can be sent by another one. */
export type WebTransportOptions = {
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
};

/**
 * The Connect protocol over `fetch`: the default. In JSON, which every network tool shows, and in
 * which a value of an enum that is newer than this SDK comes as the unspecified one; `binary` is
 * smaller and keeps such a value's number.
 */
export function connect(
  options: WebTransportOptions & { readonly binary?: boolean } = {},
): TransportFactory {
  const { binary: useBinaryFormat = false, ...rest } = options;
  return (baseUrl) => createConnectTransport({ baseUrl, useBinaryFormat, ...rest });
}

/** gRPC-Web over `fetch`, in binary. */
export function grpcWeb(options: WebTransportOptions = {}): TransportFactory {
  return (baseUrl) => createGrpcWebTransport({ baseUrl, ...options });
}
