import { connect, grpcWeb, type TransportFactory } from "@settle/sdk";

/**
 * The transport of the page: Connect, whose JSON every network tool can show. A new user has no
 * account yet, and a browser logs each HTTP error as one of the page. Accounts are therefore read
 * by gRPC-Web, where "not found" is a response like any other.
 */
export function pageTransport(options: {
  readonly fetch: typeof globalThis.fetch;
}): TransportFactory {
  return (baseUrl) => {
    const transport = connect(options)(baseUrl);
    const quiet = grpcWeb(options)(baseUrl);
    return {
      ...transport,
      unary: (method, ...call) =>
        (method.name === "GetAccount" ? quiet : transport).unary(method, ...call),
    };
  };
}
