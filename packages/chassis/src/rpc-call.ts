import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { Logger } from "pino";
import { ActiveCall, type Call, type CallOrigin, ended, stopping } from "./active-call.ts";
import { BatcherFullError } from "./batcher.ts";
import type { Clock } from "./clock.ts";
import { failureOf } from "./database-failure.ts";
import { errorInfoOf, refuse } from "./errors.ts";
import type { Validation } from "./validation.ts";

/** How a protocol brings the request and takes an answer. */
export type CallCodec<Answer> = {
  readonly read: () => Message;
  readonly write: (answer: Message) => Answer;
};

type UnaryHandler = (
  request: Message,
) => Promise<MessageInitShape<DescMessage>> | MessageInitShape<DescMessage>;
type StreamHandler = (request: Message) => AsyncIterable<MessageInitShape<DescMessage>>;

/**
 * What surrounds every handler, whatever the protocol: the deadline, validation, the mapping of
 * errors, one log line per failed call, and the end of all calls when the server stops.
 *
 * `unary` and `stream` reject only with refusals that name the service's domain. What else a
 * handler throws is logged with its stack; a full queue becomes RESOURCE_EXHAUSTED, a database that
 * is away UNAVAILABLE, and all else INTERNAL with the request id and no more.
 */
export type Calls = {
  /**
   * Begins a call. A unary one has the largest deadline or its client's, whichever is sooner; a
   * stream only its client's.
   */
  open(origin: CallOrigin, clientTimeoutMs: number | undefined): Call;
  unary<Answer>(call: Call, codec: CallCodec<Answer>, handle: UnaryHandler): Promise<Answer>;
  stream<Answer>(
    call: Call,
    codec: CallCodec<Answer>,
    handle: StreamHandler,
  ): AsyncGenerator<Answer>;
  /** Logs a request that failed before its call began and returns the refusal to answer with. */
  failed(origin: CallOrigin, error: unknown): ConnectError;
  /** From now on every new call is answered with UNAVAILABLE. */
  refuseNew(): void;
  /** Ends every call under way with UNAVAILABLE. */
  abortAll(): void;
};

/** Builds the surroundings of the handlers of one server; see {@link Calls}. */
export function createCalls(options: {
  readonly domain: string;
  readonly maxDeadlineMs: number;
  readonly validation: Validation;
  readonly clock: Clock;
  readonly log: Logger;
}): Calls {
  const { domain, maxDeadlineMs, validation, clock, log } = options;
  const active = new Set<Call>();
  let refusing = false;

  const failed = (origin: CallOrigin, error: unknown): ConnectError => {
    const refusal = refusalOf(error, origin.requestId);
    const info = errorInfoOf(refusal);
    if (info) info.domain = domain;
    log[levelOf(refusal.code)](
      {
        requestId: origin.requestId,
        rpc: `${origin.method.parent.typeName}/${origin.method.name}`,
        protocol: origin.protocol,
        code: Code[refusal.code],
        reason: info?.reason,
        ...(refusal === error ? { refusal: refusal.rawMessage } : { err: error }),
      },
      "a call failed",
    );
    return refusal;
  };
  const end = (call: Call) => {
    call.end();
    active.delete(call);
  };

  return {
    failed,
    open(origin, clientTimeoutMs) {
      const longest = origin.method.methodKind === "unary" ? maxDeadlineMs : Infinity;
      const call = new ActiveCall(origin, Math.min(clientTimeoutMs ?? Infinity, longest), clock);
      active.add(call);
      if (refusing) call.abort(stopping);
      return call;
    },
    async unary(call, { read, write }, handle) {
      try {
        call.signal.throwIfAborted();
        const request = read();
        validation.check(call.method.input, request);
        return write(create(call.method.output, await call.orAbort(handle(request))));
      } catch (error) {
        throw failed(call, error);
      } finally {
        end(call);
      }
    },
    async *stream(call, { read, write }, handle) {
      try {
        call.signal.throwIfAborted();
        const request = read();
        validation.check(call.method.input, request);
        const answers = handle(request)[Symbol.asyncIterator]();
        try {
          for (;;) {
            const next = await call.orAbort(answers.next());
            if (next.done) return;
            yield write(create(call.method.output, next.value));
          }
        } finally {
          // The signal wakes a handler that waits. It is not waited for: it may not heed it.
          call.abort(ended);
          Promise.resolve(answers.return?.()).catch(() => {});
        }
      } catch (error) {
        throw failed(call, error);
      } finally {
        end(call);
      }
    },
    refuseNew() {
      refusing = true;
    },
    abortAll() {
      for (const call of active) call.abort(stopping);
    },
  };
}

const full = () =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.OVERLOADED,
    "as many calls wait as are accepted; try again later",
  );

const notNow = () =>
  refuse(Code.Unavailable, ErrorReason.UNAVAILABLE, "this cannot be done now; try again later");

const internal = (requestId: string) =>
  refuse(Code.Internal, ErrorReason.INTERNAL, `internal error; the request id is ${requestId}`);

/** What the caller is told about `error`: nothing but what was meant for it. */
function refusalOf(error: unknown, requestId: string): ConnectError {
  if (errorInfoOf(error)) return error as ConnectError;
  if (error instanceof BatcherFullError) return full();
  const passes = !["refused", "unknown"].includes(failureOf(error));
  return passes ? notNow() : internal(requestId);
}

function levelOf(code: Code): "error" | "warn" | "info" {
  if (code === Code.Internal) return "error";
  if (code === Code.Unavailable || code === Code.ResourceExhausted) return "warn";
  return "info";
}
