import { setTimeout } from "node:timers/promises";
import {
  create,
  type DescMessage,
  type DescMethod,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorReason, StreamEndSchema } from "@settle/gen/errors/v1/errors_pb";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { TransientMap } from "../base/transient-map.ts";
import { errorInfoOf } from "../contract/errors.ts";
import type { Validation } from "../contract/validation.ts";
import type { AccessCheck } from "../identity/access.ts";
import type { Principal } from "../identity/principal.ts";
import { expired, type TokenVerifier } from "../identity/token-verifier.ts";
import { calls as callMetric } from "../metrics/metrics.ts";
import { ActiveCall, type Call, type CallOrigin, ended, stopping } from "./active-call.ts";
import { createFailedCalls } from "./failed-call.ts";
import type { FairQueue } from "./fair-queue.ts";
import type { ReadPace } from "./read-pace.ts";
import type { WriteQuota } from "./write-quota.ts";

/** How a protocol reads the request and writes an answer. */
export type CallCodec<Answer> = {
  readonly read: () => Message;
  readonly write: (answer: Message) => Answer;
};

type UnaryHandler = (
  request: Message,
  principal: Principal,
) => Promise<MessageInitShape<DescMessage>> | MessageInitShape<DescMessage>;
type StreamHandler = (
  request: Message,
  principal: Principal,
) => AsyncIterable<MessageInitShape<DescMessage>>;

/**
 * Everything around a handler that is the same for all protocols: authentication and access check,
 * deadline, validation, the quota of calls that change data, error mapping, a log line per failed
 * call (of many with the same reason, only 100 per second), and the end of all calls when the server
 * stops.
 *
 * Unary reads wait for their turn in a {@link FairQueue}, by caller. A read whose caller has gone
 * before its turn never begins. One that has begun keeps its place until its handler returns and its
 * answer is encoded, so that nobody gets more places by leaving calls.
 *
 * The messages of a stream follow each other at the pace of its caller. A stream also ends when its caller's token expires. If a stream has begun and its answers have a
 * field of type `errors.v1.StreamEnd`, a last answer also reports why it ends.
 *
 * `unary` and `stream` reject only with refusals that name the service's domain. Any other error of
 * a handler is logged with its stack. A full queue or pool becomes RESOURCE_EXHAUSTED, an
 * unavailable database UNAVAILABLE, and everything else INTERNAL, which shows the caller only the
 * request id.
 */
export type Calls = {
  /**
   * Begins a call. A unary call has the deadline of its client or the maximum, whichever is sooner;
   * a stream only has the deadline of its client.
   */
  open(origin: CallOrigin & Pick<Call, "authorization">, clientTimeoutMs: number | undefined): Call;
  unary<Answer>(call: Call, codec: CallCodec<Answer>, handle: UnaryHandler): Promise<Answer>;
  stream<Answer>(
    call: Call,
    codec: CallCodec<Answer>,
    handle: StreamHandler,
  ): AsyncGenerator<Answer>;
  /** Logs a request that failed before its call began and returns the refusal to answer with. */
  failed(origin: CallOrigin, error: unknown): ConnectError;
  /** Answers every new call with UNAVAILABLE from now on, and ends open streams in the same way. */
  refuseNew(): void;
  /** Ends every call in progress with UNAVAILABLE. */
  abortAll(): void;
};

/** Creates what surrounds the handlers of one server; see {@link Calls}. */
export function createCalls(options: {
  readonly domain: string;
  readonly maxDeadlineMs: number;
  readonly verifier: TokenVerifier;
  readonly checkAccess: AccessCheck;
  readonly validation: Validation;
  /** Limits the calls that change data, by caller; default: without limit. */
  readonly writeQuota?: WriteQuota | undefined;
  readonly reads: FairQueue;
  /** How fast the messages of a stream follow each other. */
  readonly pace: Pick<ReadPace, "delayMs">;
  readonly clock: Clock;
  readonly log: Logger;
}): Calls {
  const { domain, maxDeadlineMs, verifier, checkAccess, validation, writeQuota, reads } = options;
  const { pace, clock, log } = options;
  const active = new TransientMap<Call>();
  const refusalOf = createFailedCalls({ domain, clock, log });
  let refusing = false;

  /** Verifies the token, validates the request, checks access and quota; throws if one fails. */
  const admit = async (call: Call, read: () => Message) => {
    call.signal.throwIfAborted();
    const verified = verifier.verify(call.authorization);
    const principal = "then" in verified ? await call.orAbort(verified) : verified;
    const request = read();
    validation.check(call.method.input, request);
    checkAccess(call.method, principal, request);
    if (!isRead(call.method)) writeQuota?.take(principal.userId);
    return { request, principal };
  };
  const observe = ({ method }: CallOrigin, code: string, durationMs: number) => {
    const labels = { service: method.parent.typeName, method: method.name, code };
    callMetric.observe(labels, durationMs / 1_000);
  };
  const end = (call: Call, code: string) => {
    call.end();
    active.delete(call.number);
    observe(call, code, clock.monotonicMs() - call.beganMs);
  };

  return {
    failed(origin, error) {
      const refusal = refusalOf(origin, error);
      observe(origin, codeOf(refusal), 0);
      return refusal;
    },
    open(origin, clientTimeoutMs) {
      const longest = origin.method.methodKind === "unary" ? maxDeadlineMs : Infinity;
      const call = new ActiveCall(origin, Math.min(clientTimeoutMs ?? Infinity, longest), clock);
      active.set(call.number, call);
      if (refusing) call.abort(stopping);
      return call;
    },
    async unary(call, { read, write }, handle) {
      let code = "ok";
      try {
        const { request, principal } = await admit(call, read);
        const answer = async () => {
          const message = await handle(request, principal);
          call.signal.throwIfAborted();
          return write(create(call.method.output, message));
        };
        const { userId } = principal;
        return await call.orAbort(
          isRead(call.method) ? reads.run(userId, call.signal, answer) : answer(),
        );
      } catch (error) {
        const refusal = refusalOf(call, error);
        code = codeOf(refusal);
        throw refusal;
      } finally {
        end(call, code);
      }
    },
    async *stream(call, { read, write }, handle) {
      let begun = false;
      let code = "ok";
      try {
        const { request, principal } = await admit(call, read);
        call.abortAfter(principal.expireTimeMs - clock.nowMs(), expired);
        const answers = handle(request, principal)[Symbol.asyncIterator]();
        try {
          for (;;) {
            const delayMs = pace.delayMs(principal.userId);
            const { signal } = call;
            if (delayMs > 0) await call.orAbort(setTimeout(delayMs, undefined, { signal }));
            const next = await call.orAbort(answers.next());
            if (next.done) return;
            begun = true;
            yield write(create(call.method.output, next.value));
          }
        } finally {
          // The signal wakes a waiting handler. The handler may ignore it, so nobody waits for it.
          call.abort(ended);
          Promise.resolve(answers.return?.()).catch(() => {});
        }
      } catch (error) {
        const refusal = refusalOf(call, error);
        code = codeOf(refusal);
        const last = begun ? lastAnswer(call.method.output, refusal) : undefined;
        if (last) yield write(last);
        throw refusal;
      } finally {
        end(call, code);
      }
    },
    refuseNew() {
      refusing = true;
      for (const call of active.values())
        if (call.method.methodKind !== "unary") call.abort(stopping);
    },
    abortAll() {
      for (const call of active.values()) call.abort(stopping);
    },
  };
}

/** The code's name in the Connect protocol, such as `not_found`. */
function codeOf({ code }: ConnectError): string {
  return Code[code].replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase();
}

/** Whether calls of the method change nothing, by the contract. */
export function isRead({ idempotency }: DescMethod): boolean {
  return idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

/** An answer that reports the refusal, if answers of this type can. */
function lastAnswer(schema: DescMessage, refusal: ConnectError): Message | undefined {
  const field = schema.fields.find(({ message }) => message?.typeName === StreamEndSchema.typeName);
  if (field?.fieldKind !== "message") return undefined;
  const answer = reflect(schema);
  const word = errorInfoOf(refusal)?.reason ?? "";
  const reason = ErrorReason[word as keyof typeof ErrorReason] ?? ErrorReason.UNSPECIFIED;
  answer.set(
    field,
    reflect(StreamEndSchema, create(StreamEndSchema, { reason, message: refusal.rawMessage })),
  );
  return answer.message;
}
