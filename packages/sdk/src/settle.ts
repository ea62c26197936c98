import { errorClasses } from "@settle/gen/sdk/errors";
import { createServices, type Services } from "@settle/gen/sdk/services";
import { createCaller, type SettleTransport, type Token } from "@settle/sdk-runtime";

/** Makes the transport to a server; see {@link connect}, `grpcWeb` and `grpc`. */
export type TransportFactory = (baseUrl: string) => SettleTransport;

/** How a client is made. */
export type SettleOptions = {
  /** Where Settle answers: its edge, such as `https://settle.example.com`. */
  readonly baseUrl: string;
  /** Says who calls: a token, or a function that brings one and is asked again when it is refused. */
  readonly token: Token;
  /** By which protocol to call. */
  readonly transport?: TransportFactory;
  /** The time for a call, retries included. Default: 15 seconds, as much as a service takes. */
  readonly timeoutMs?: number;
  /** How often a call that failed in passing may be tried again. Default: 3; 0 for never. */
  readonly maxRetries?: number;
};

/**
 * A client of Settle, for any number of calls at once. Disposing ends what is under way and closes
 * its connections; nothing can be called after that.
 */
export type Settle = Services & AsyncDisposable;

/** Builds a client whose transport is chosen. Connects to nothing before the first call. */
export function createSettleBy(
  options: SettleOptions & { readonly transport: TransportFactory },
): Settle {
  const { baseUrl, transport, token, timeoutMs, maxRetries } = options;
  const caller = createCaller({
    transport: transport(baseUrl),
    token,
    timeoutMs,
    maxRetries,
    errorClasses,
  });
  return { ...createServices(caller), [Symbol.asyncDispose]: () => caller[Symbol.asyncDispose]() };
}
