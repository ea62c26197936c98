import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type ConnectError, createContextKey } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { Clock } from "../base/clock.ts";
import { refuse } from "../contract/errors.ts";

/** Gives a handler the id of its request, for its own log lines: `context.values.get(…)`. */
export const requestIdKey = createContextKey("", { description: "request id" });

/** Identifies the request of a call in its log lines. */
export type CallOrigin = {
  readonly method: DescMethod;
  readonly protocol: string;
  readonly requestId: string;
};

/** A call in progress. Its handler sees `signal` and `timeoutMs` in its context. */
export type Call = CallOrigin & {
  /** Tells the calls of this process apart. */
  readonly number: number;
  /** When it began, on the monotonic clock. */
  readonly beganMs: number;
  /** The value of its `authorization` header. */
  readonly authorization: string | null | undefined;
  readonly signal: AbortSignal;
  readonly timeoutMs: () => number | undefined;
  /**
   * Ends the call with this refusal, even if its handler ignores the signal; no effect once ended.
   */
  abort(reason: () => ConnectError): void;
  /** Aborts the call after a delay, independently of the deadline. May be called at most once. */
  abortAfter(delayMs: number, reason: () => ConnectError): void;
  /** Settles like `work`, or rejects as soon as the call is aborted. One call at a time. */
  orAbort<T>(work: PromiseLike<T> | T): Promise<T>;
  /** Marks the call as ended: nothing aborts it any more. */
  end(): void;
};

// The longest delay of a timer; some three weeks.
const longestTimerMs = 2 ** 31 - 1;

let lastNumber = 0;

/** A call with a running deadline; `timeoutMs` may be infinite, for no deadline. */
export class ActiveCall implements Call {
  readonly number = ++lastNumber;
  readonly beganMs: number;
  readonly authorization: string | null | undefined;
  readonly method: DescMethod;
  readonly protocol: string;
  readonly requestId: string;
  readonly timeoutMs: () => number | undefined;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #laterTimer: NodeJS.Timeout | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  #ended = false;

  constructor(origin: CallOrigin & Pick<Call, "authorization">, timeoutMs: number, clock: Clock) {
    this.beganMs = clock.monotonicMs();
    this.authorization = origin.authorization;
    this.method = origin.method;
    this.protocol = origin.protocol;
    this.requestId = origin.requestId;
    if (timeoutMs === Infinity) {
      this.timeoutMs = () => undefined;
    } else {
      const deadlineMs = this.beganMs + timeoutMs;
      this.timeoutMs = () => deadlineMs - clock.monotonicMs();
      // A timer would let a fast handler be in time.
      if (timeoutMs <= 0) this.abort(late);
      else this.#timer = setTimeout(() => this.abort(late), timeoutMs);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: () => ConnectError): void {
    if (this.#ended || this.signal.aborted) return;
    this.#controller.abort(reason());
    this.#reject?.(this.signal.reason);
  }

  abortAfter(delayMs: number, reason: () => ConnectError): void {
    if (this.#ended) return;
    const timerMs = Math.min(Math.max(0, delayMs), longestTimerMs);
    this.#laterTimer = setTimeout(() => this.abort(reason), timerMs);
  }

  orAbort<T>(work: PromiseLike<T> | T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.signal.aborted) reject(this.signal.reason);
      Promise.resolve(work).then(resolve, reject);
    });
  }

  end(): void {
    this.#ended = true;
    // It holds the answer of the handler, and the call lives until its reader has taken the bytes.
    this.#reject = undefined;
    clearTimeout(this.#timer);
    clearTimeout(this.#laterTimer);
  }
}

/** The refusal of a call whose client is gone. */
export const gone = (): ConnectError =>
  refuse(
    Code.DeadlineExceeded,
    ErrorReason.DEADLINE_EXCEEDED,
    "the client has cancelled the call or disconnected",
  );

/** The refusal of a call whose deadline has passed. */
export const late = (): ConnectError =>
  refuse(Code.DeadlineExceeded, ErrorReason.DEADLINE_EXCEEDED, "the call took too long");

/** The reason in a stream handler's signal once the stream has ended. */
export const ended = (): ConnectError =>
  refuse(Code.Canceled, ErrorReason.UNAVAILABLE, "the stream has ended");

/** The refusal of a call that the server cannot finish because it is stopping. */
export const stopping = (): ConnectError =>
  refuse(Code.Unavailable, ErrorReason.UNAVAILABLE, "the service is shutting down");
