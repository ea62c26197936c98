import type {
  DescMessage,
  DescMethodServerStreaming,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Means } from "./call.ts";
import { headersOf, type WatchOptions } from "./options.ts";
import { longestStreamDelayMs, retryDelayMs } from "./retry.ts";
import { orAbort, orLate } from "./timing.ts";

const finalCodes: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
]);

/** A message of a stream: one event, and the revision up to which the stream is complete. */
type Answer = {
  readonly revision: bigint;
  readonly event: { readonly case: string | undefined; readonly value?: unknown };
};

/** Says that a watch is alive and complete up to `revision`. */
export type Heartbeat = { readonly kind: "heartbeat"; readonly revision: bigint };

/**
 * Yields changes until it is stopped: by `break`, by disposing it, or by its signal. It supports
 * one consumer at a time.
 */
export type Watch<Change> = AsyncIterableIterator<Change, void, undefined> &
  AsyncDisposable & {
    /** All changes up to this revision were yielded; another watch can resume from here. */
    readonly revision: bigint;
  };

/**
 * Watches through a server stream whose messages have a `revision` and an `event`. A stream that
 * breaks, ends or falls silent is reopened after a pause, from the last revision, indefinitely. A
 * stream whose token has expired is reopened at once, with a new token. Throws permanent
 * `SettleError`s and the errors of the token function. Heartbeats are yielded only if the options
 * ask for them.
 */
export function openWatch<I extends DescMessage, O extends DescMessage, Change>(
  means: Means,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I> & { readonly afterRevision?: bigint },
  options: WatchOptions = {},
): Watch<Change> {
  const { tokens, timing, closed, silenceMs, errorOf } = means;
  const stop = new AbortController();
  const signal = AbortSignal.any([
    closed,
    stop.signal,
    ...(options.signal ? [options.signal] : []),
  ]);
  let revision = request.afterRevision ?? 0n;

  /** Yields one stream, from the last revision; it always ends by throwing. */
  async function* stream(token: string): AsyncGenerator<Answer, void, undefined> {
    const headers = headersOf(method, options);
    headers.set("authorization", `Bearer ${token}`);
    const cut = new AbortController();
    const either = AbortSignal.any([signal, cut.signal]);
    try {
      const input = once({ ...request, afterRevision: revision } as MessageInitShape<I>);
      const opening = means.transport.stream(method, either, undefined, headers, input);
      const { message } = await orLate(opening, silenceMs, () => silent(silenceMs));
      const answers: AsyncIterator<MessageShape<O>> = message[Symbol.asyncIterator]();
      for (;;) {
        const next = await orLate(orAbort(answers.next(), signal), silenceMs, () =>
          silent(silenceMs),
        );
        if (next.done) throw new ConnectError("the stream has ended", Code.Unavailable);
        yield next.value as unknown as Answer;
      }
    } finally {
      cut.abort();
    }
  }

  async function* changes(): AsyncGenerator<Change, void, undefined> {
    let cuts = 0;
    let replaced = false;
    while (!signal.aborted) {
      let openedMs = timing.nowMs();
      let token: string | undefined;
      try {
        token = await orAbort(tokens.get(), signal);
        openedMs = timing.nowMs();
        for await (const answer of stream(token)) {
          replaced = false;
          // The last message before an end may not carry a revision.
          if (answer.revision > revision) revision = answer.revision;
          const change = changeOf(answer, options.heartbeats ?? false);
          if (change) yield change as Change;
        }
      } catch (thrown) {
        if (signal.aborted) return;
        if (token === undefined) throw thrown;
        const error = errorOf(thrown);
        if (error.code === Code.Unauthenticated) {
          if (replaced || !tokens.refused(token)) throw error;
          replaced = true;
          continue;
        }
        if (finalCodes.has(error.code)) throw error;
        if (timing.nowMs() - openedMs >= longestStreamDelayMs) cuts = 0;
        const delayMs = retryDelayMs(cuts, longestStreamDelayMs, timing, error.retryAfterMs);
        cuts += 1;
        options.onCut?.(error, delayMs);
        await timing.pause(delayMs, signal).catch(() => {});
      }
    }
  }

  const running = changes();
  const end = async () => {
    // Aborts first, because the generator cannot return while it waits.
    stop.abort();
    await running.return();
  };
  return {
    get revision() {
      return revision;
    },
    next: () => running.next(),
    async return() {
      await end();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** Converts a message to what the watch yields. The reason for an end follows as an error. */
function changeOf({ event, revision }: Answer, heartbeats: boolean): object | undefined {
  if (event.case === undefined || event.case === "end") return undefined;
  if (event.case === "heartbeat") return heartbeats ? { kind: event.case, revision } : undefined;
  return { kind: event.case, [event.case]: event.value, revision };
}

async function* once<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}

const silent = (silenceMs: number) =>
  new ConnectError(`no message for ${silenceMs / 1_000} seconds`, Code.Unavailable);
