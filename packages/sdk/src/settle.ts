import { errorClasses } from "@settle/gen-sdk/errors";
import { createServices, type Services } from "@settle/gen-sdk/services";
import { type Caller, createCaller, type SettleTransport, type Token } from "@settle/sdk-runtime";

/** Creates the transport to a server; see {@link connect}, `grpcWeb` and `grpc`. */
export type TransportFactory = (baseUrl: string) => SettleTransport;

/** The options of a client. */
export type SettleOptions = {
  /** The URL of Settle's edge, such as `https://settle.example.com`. */
  readonly baseUrl: string;
  /** The caller's token, or a function that returns one and is called again when it is refused. */
  readonly token: Token;
  /** The protocol to use. */
  readonly transport?: TransportFactory;
  /** The timeout of a call, including retries. Default: 15 seconds, the limit of the services. */
  readonly timeoutMs?: number;
  /**
   * The maximum number of retries after transient failures. Default: as many as the timeout allows;
   * 0 turns retries off.
   */
  readonly maxRetries?: number;
};

/**
 * A client of Settle, for any number of concurrent calls. Disposing it ends calls in progress and
 * closes its connections; it cannot be used afterwards.
 */
export type Settle = Services & AsyncDisposable;

/**
 * Creates a client with the given transport. It connects on the first call. Throws a TypeError if
 * `baseUrl` is not an http or https URL.
 */
export function createSettleBy(
  options: SettleOptions & { readonly transport: TransportFactory },
): Settle {
  return createClientBy(options, createServices);
}

/** Creates a client of the services that `create` returns; see {@link createSettleBy}. */
export function createClientBy<Of extends object>(
  options: SettleOptions & { readonly transport: TransportFactory },
  create: (caller: Caller) => Of,
): Of & AsyncDisposable {
  const { baseUrl, transport, token, timeoutMs, maxRetries } = options;
  if (!/^https?:\/\//i.test(baseUrl)) {
    throw new TypeError(`baseUrl must start with http:// or https://: ${baseUrl}`);
  }
  const caller = createCaller({
    transport: transport(baseUrl),
    token,
    timeoutMs,
    maxRetries,
    errorClasses,
  });
  return { ...create(caller), [Symbol.asyncDispose]: () => caller[Symbol.asyncDispose]() };
}
