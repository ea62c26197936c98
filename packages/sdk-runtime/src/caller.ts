import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { callUnary, type Means } from "./call.ts";
import type { CallOptions, WaitOptions, WatchOptions } from "./options.ts";
import { type PageAnswer, type PageRequest, type Pages, pagesOf } from "./pages.ts";
import { createRetryBudget } from "./retry.ts";
import { type ErrorClasses, settleErrorOf } from "./settle-error.ts";
import { systemTiming, type Timing } from "./timing.ts";
import { createTokenSource, type Token } from "./token-source.ts";
import { openWatch, type Watch } from "./watch.ts";

const defaultTimeoutMs = 15_000;
/** More than two intervals of the heartbeats, which services send every 15 seconds. */
const defaultSilenceMs = 40_000;

/** A transport of connect-es, which may hold connections until it is disposed. */
export type SettleTransport = Transport & Partial<Disposable>;

/** Makes the calls of the generated methods. */
export type Caller = AsyncDisposable & {
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options?: WaitOptions,
  ): Promise<MessageShape<O>>;
  pages<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Pages<MessageShape<O>>;
  watch<I extends DescMessage, O extends DescMessage, Change>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options?: WatchOptions,
  ): Watch<Change>;
};

export type CallerOptions = {
  readonly transport: SettleTransport;
  readonly token: Token;
  /** The timeout of a call, including retries. Default: 15 seconds, the limit of the services. */
  readonly timeoutMs?: number | undefined;
  /** The maximum number of retries of a call. Default: as many as its timeout allows. */
  readonly maxRetries?: number | undefined;
  /** A watch reopens a stream that is silent for this long. Default: 40 seconds. */
  readonly silenceMs?: number | undefined;
  readonly errorClasses: ErrorClasses;
  /** Default: the system's clock, timers and random numbers. */
  readonly timing?: Timing | undefined;
};

/** Creates a caller. Disposing it ends its calls and watches, and closes its transport. */
export function createCaller(options: CallerOptions): Caller {
  const { transport, errorClasses } = options;
  const closing = new AbortController();
  const errorOf = (thrown: unknown) => settleErrorOf(thrown, errorClasses);
  const means: Means = {
    transport,
    tokens: createTokenSource(options.token),
    budget: createRetryBudget(),
    timing: options.timing ?? systemTiming,
    closed: closing.signal,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    maxRetries: options.maxRetries ?? Number.POSITIVE_INFINITY,
    silenceMs: options.silenceMs ?? defaultSilenceMs,
    errorOf,
  };
  return {
    unary: (method, request, callOptions) => callUnary(means, method, request, callOptions),
    pages: <I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      request: MessageInitShape<I>,
      callOptions?: CallOptions,
    ) =>
      pagesOf<PageRequest & MessageInitShape<I>, PageAnswer & MessageShape<O>>(
        request as PageRequest & MessageInitShape<I>,
        (page) => callUnary(means, method, page, callOptions) as Promise<never>,
      ),
    watch: (method, request, watchOptions) =>
      openWatch(
        means,
        method,
        request as typeof request & { afterRevision?: bigint },
        watchOptions,
      ),
    async [Symbol.asyncDispose]() {
      closing.abort(errorOf(new ConnectError("the client is closed", Code.Canceled)));
      transport[Symbol.dispose]?.();
    },
  };
}
