import { type ChannelCredentials, type ChannelOptions, Client, credentials } from "@grpc/grpc-js";
import { createGrpcTransport } from "./grpc-transport.ts";
import type { TransportFactory } from "./settle.ts";

/** How gRPC connects. */
export type GrpcOptions = {
  /** Default: TLS with the system's authorities for `https:`, nothing for `http:`. */
  readonly credentials?: ChannelCredentials;
  /**
   * The channel options of grpc-js, for example `grpc.service_config` or `grpc.keepalive_time_ms`,
   * on top of the defaults: calls go round all addresses of the name, and a connection with a call
   * on it is pinged each 20 seconds and given up 10 seconds later.
   */
  readonly channel?: ChannelOptions;
  /** What grpc-js resolves, such as `dns:///orders.internal:8080`. Default: the host of `baseUrl`. */
  readonly target?: string;
};

const defaults: ChannelOptions = {
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
};

/**
 * gRPC over HTTP/2 by `@grpc/grpc-js`. Throws if `baseUrl` has a path, which gRPC has no place for,
 * or is not of `http:` or `https:`.
 */
export function grpc(options: GrpcOptions = {}): TransportFactory {
  return (baseUrl) => {
    const { protocol, hostname, port, pathname, host } = new URL(baseUrl);
    if (pathname !== "/") throw new Error(`gRPC calls a host, not a path: ${baseUrl}`);
    const isSecure = protocol === "https:";
    if (!isSecure && protocol !== "http:") throw new Error(`neither http nor https: ${baseUrl}`);
    const address = port === "" ? `${hostname}:${isSecure ? 443 : 80}` : host;
    const secrets = isSecure ? credentials.createSsl() : credentials.createInsecure();
    const client = new Client(options.target ?? address, options.credentials ?? secrets, {
      ...defaults,
      ...options.channel,
    });
    return createGrpcTransport(client);
  };
}
