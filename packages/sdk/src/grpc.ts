import { type ChannelCredentials, type ChannelOptions, Client, credentials } from "@grpc/grpc-js";
import { createGrpcTransport } from "./grpc-transport.ts";
import type { TransportFactory } from "./settle.ts";

/** The options of the gRPC connection. */
export type GrpcOptions = {
  /** Default: TLS with the system's certificate authorities for `https:`, plaintext for `http:`. */
  readonly credentials?: ChannelCredentials;
  /**
   * The channel options of grpc-js, for example `grpc.service_config` or `grpc.keepalive_time_ms`,
   * in addition to the defaults: calls are distributed round-robin over all addresses of the name, a
   * connection with a call in progress is pinged every 20 seconds and dropped if there is no answer
   * within 10 seconds, and messages have at most 8 MiB.
   */
  readonly channel?: ChannelOptions;
  /**
   * The target for grpc-js, such as `dns:///orders.internal:8080`. Default: the host of `baseUrl`.
   */
  readonly target?: string;
};

const defaults: ChannelOptions = {
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // The largest message that a service sends. The default of grpc-js is 4 MiB.
  "grpc.max_receive_message_length": 8 * 1024 * 1024,
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
};

/**
 * gRPC over HTTP/2, with `@grpc/grpc-js`. Throws if `baseUrl` has a path, which gRPC cannot use, or
 * is not an `http:` or `https:` URL.
 */
export function grpc(options: GrpcOptions = {}): TransportFactory {
  return (baseUrl) => {
    const { protocol, hostname, port, pathname, host } = new URL(baseUrl);
    if (pathname !== "/") throw new Error(`a URL for gRPC must not have a path: ${baseUrl}`);
    const isSecure = protocol === "https:";
    if (!isSecure && protocol !== "http:")
      throw new Error(`the URL must be http: or https: ${baseUrl}`);
    const address = port === "" ? `${hostname}:${isSecure ? 443 : 80}` : host;
    const secrets = isSecure ? credentials.createSsl() : credentials.createInsecure();
    const client = new Client(options.target ?? address, options.credentials ?? secrets, {
      ...defaults,
      ...options.channel,
    });
    return createGrpcTransport(client);
  };
}
