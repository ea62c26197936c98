import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { headersOf, type WaitOptions } from "./options.ts";
import { type RetryBudget, retryDelayMs } from "./retry.ts";
import type { SettleError } from "./settle-error.ts";
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
  /** A stream that brings nothing for so long is cut without having said so. */
  readonly silenceMs: number;
  readonly errorOf: (thrown: unknown) => SettleError;
};

/**
 * Makes one call, and makes it again for as long as that is safe and may help: after a failure that
 * passes, with pauses, never past the call's time, its number of retries or the client's budget. It
 * is always safe: reads change nothing, and all else carries one idempotency key over its retries.
 * A refused token is replaced once. Rejects with a {@link SettleError}, with the reason of a signal
 * that aborted, or with what the token function threw.
 */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  means: Means,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: WaitOptions = {},
): Promise<MessageShape<O>> {
  const { transport, tokens, budget, timing, closed, errorOf } = means;
  const { timeoutMs = means.timeoutMs, maxRetries = means.maxRetries } = options;
  const signal = options.signal ? AbortSignal.any([closed, options.signal]) : closed;
  const headers = headersOf(method, options);
  const endMs = timing.nowMs() + timeoutMs;
  const leftMs = () => Math.max(1, Math.ceil(endMs - timing.nowMs()));
  let replaced = false;
  for (let retries = 0; ; ) {
    signal.throwIfAborted();
    const bringing = orLate(orAbort(tokens.get(), signal), leftMs(), noTokenInTime);
    const token = await bringing.catch((error) => {
      throw error instanceof ConnectError ? errorOf(error) : error;
    });
    headers.set("authorization", `Bearer ${token}`);
    try {
      const answer = await transport.unary(method, signal, leftMs(), headers, request);
      budget.earn();
      options.onHeaders?.(answer.header);
      return answer.message;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = errorOf(thrown);
      if (error.code === Code.Unauthenticated && !replaced && tokens.refused(token)) {
        replaced = true;
        continue;
      }
      const delayMs = retryDelayMs(retries, timing, error.retryAfterMs);
      const inTime = timing.nowMs() + delayMs < endMs;
      if (!error.retryable || retries >= maxRetries || !inTime || !budget.take()) throw error;
      await timing.pause(delayMs, signal);
      retries += 1;
    }
  }
}

const noTokenInTime = () =>
  new ConnectError("no token came within the call's time", Code.DeadlineExceeded);
