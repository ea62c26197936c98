import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import type { TransportFactory } from "./settle.ts";

/** The options of transports that use `fetch`. */
export type WebTransportOptions = {
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
};

/**
 * The Connect protocol over `fetch`; the default. It uses JSON, which every network tool can show.
 * In JSON, an enum value that is newer than this SDK is read as the unspecified one. `binary` is
 * smaller and keeps the number of such a value.
 */
export function connect(
  options: WebTransportOptions & { readonly binary?: boolean } = {},
): TransportFactory {
  const { binary: useBinaryFormat = false, ...rest } = options;
  return (baseUrl) => createConnectTransport({ baseUrl, useBinaryFormat, ...rest });
}

/** gRPC-Web over `fetch`, in binary format. */
export function grpcWeb(options: WebTransportOptions = {}): TransportFactory {
  return (baseUrl) => createGrpcWebTransport({ baseUrl, ...options });
}
