import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import type { TransportFactory } from "./settle.ts";

/** What is sent by `fetch` can be sent by another one. */
export type WebTransportOptions = {
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
};

/** The Connect protocol over `fetch`, in JSON, which every network tool shows: the default. */
export function connect(options: WebTransportOptions = {}): TransportFactory {
  return (baseUrl) => createConnectTransport({ baseUrl, ...options });
}

/** gRPC-Web over `fetch`, in binary. */
export function grpcWeb(options: WebTransportOptions = {}): TransportFactory {
  return (baseUrl) => createGrpcWebTransport({ baseUrl, ...options });
}
