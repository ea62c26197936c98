import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { headersOf, type WaitOptions } from "./options.ts";
import { longestCallDelayMs, type RetryBudget, retryDelayMs } from "./retry.ts";
import { abortErrorOf, type SettleError } from "./settle-error.ts";
import { orAbort, orLate, type Timing } from "./timing.ts";
import type { TokenSource } from "./token-source.ts";

/** What all calls of one client share. */
export type Means = {
  readonly transport: Transport;
  readonly tokens: TokenSource;
  readonly budget: RetryBudget;
  readonly timing: Timing;
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** A stream that is silent for this long is considered broken. */
  readonly silenceMs: number;
  readonly errorOf: (thrown: unknown) => SettleError;
};

/**
 * Makes one call and retries it after transient failures, with pauses and at the pace of the
 * client's budget, up to the call's deadline and its number of retries. Retries are always safe:
 * reads change nothing, and every other call sends the same idempotency key with each retry. A
 * refused token is replaced once. Rejects with a {@link SettleError}, or with the error of the token
 * function. An aborted signal makes it a CANCELED one, whose cause is the reason of the signal.
 */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  means: Means,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: WaitOptions = {},
): Promise<MessageShape<O>> {
  const { transport, tokens, budget, timing, closed, errorOf } = means;
  const { maxRetries = means.maxRetries } = options;
  const timeoutMs = limitTimeout(options.timeoutMs ?? means.timeoutMs);
  const signal = options.signal ? AbortSignal.any([closed, options.signal]) : closed;
  const unlessAborted = () => {
    if (signal.aborted) throw abortErrorOf(signal);
  };
  const headers = headersOf(method, options);
  // Created once, so that an invalid request is not mistaken for a failure of the transport.
  const message = create(method.input, request) as MessageInitShape<I>;
  const endMs = timing.nowMs() + timeoutMs;
  const leftMs = () => Math.max(1, Math.ceil(endMs - timing.nowMs()));
  let replaced = false;
  for (let retries = 0; ; ) {
    unlessAborted();
    const bringing = orLate(orAbort(tokens.get(), signal), leftMs(), noTokenInTime);
    const token = await bringing.catch((error) => {
      unlessAborted();
      throw error instanceof ConnectError ? errorOf(error) : error;
    });
    headers.set("authorization", `Bearer ${token}`);
    const trying = transport.unary(method, signal, leftMs(), headers, message);
    const answer = await trying.catch((thrown: unknown) => ({ thrown }));
    if (!("thrown" in answer)) {
      budget.earn();
      options.onHeaders?.(answer.header);
      return answer.message;
    }
    unlessAborted();
    const error = errorOf(answer.thrown);
    if (error.code === Code.Unauthenticated && !replaced && tokens.refused(token)) {
      replaced = true;
      continue;
    }
    if (!error.retryable || retries >= maxRetries) throw error;
    const delayMs = retryDelayMs(retries, longestCallDelayMs, timing, error.retryAfterMs);
    const pauseMs = Math.max(delayMs, budget.reserve(timing.nowMs()));
    if (timing.nowMs() + pauseMs >= endMs) {
      budget.release();
      throw error;
    }
    await timing.pause(pauseMs, signal).catch(() => {
      budget.release();
      unlessAborted();
    });
    retries += 1;
  }
}

/** About 27 hours: the eight digits of milliseconds that gRPC-Web can send. */
const longestTimeoutMs = 99_999_999;

function limitTimeout(timeoutMs: number): number {
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must not be negative: ${timeoutMs}`);
  return Math.min(timeoutMs, longestTimeoutMs);
}

const noTokenInTime = () =>
  new ConnectError("no token arrived before the deadline of the call", Code.DeadlineExceeded);
