import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, type ConnectError, type HandlerContext } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse, refuseFields } from "../contract/errors.ts";
import { principalOf } from "../identity/principal.ts";
import { replays } from "../metrics/metrics.ts";
import type { Outcome, Refused } from "./answer-once.ts";
import { type KeyedCall, requestHashOf } from "./idempotency.ts";

const keyHeader = "idempotency-key";
const replayedHeader = "idempotency-replayed";
const visibleAscii = /^[!-~]{1,255}$/;

/**
 * Identifies a call that changes data by its caller and its `Idempotency-Key` (header or metadata,
 * 1 to 255 visible ASCII characters), or by a new key if the caller sent none. Refuses an invalid
 * key with VALIDATION_FAILED.
 */
export function keyedCallOf<Schema extends DescMessage>(
  { method, requestHeader, values }: HandlerContext,
  options: {
    readonly schema: Schema;
    readonly request: MessageShape<Schema>;
    readonly newId: () => string;
  },
): KeyedCall {
  const given = requestHeader.get(keyHeader);
  if (given !== null && !visibleAscii.test(given)) {
    const description = "must be sent once and have 1 to 255 visible ASCII characters";
    throw refuseFields([{ field: keyHeader, description }]);
  }
  return {
    key: given ?? options.newId(),
    userId: principalOf({ values }).userId,
    method: method.name,
    requestHash: requestHashOf(options.schema, options.request),
  };
}

/**
 * Answers the call with its outcome. Marks a replayed answer with `idempotency-replayed: true`. For
 * a refusal, throws the error that `refusalOf` builds from its reason and metadata.
 */
export function answerOf<Answer>(
  outcome: Outcome<Answer>,
  { method, requestHeader, responseHeader }: HandlerContext,
  refusalOf: (reason: ErrorReason, metadata: Refused["metadata"]) => ConnectError,
): Answer {
  if ("answer" in outcome) {
    // With a key made here, the replay is this same call, whose transaction was retried.
    if (outcome.replayed && requestHeader.has(keyHeader)) {
      responseHeader.set(replayedHeader, "true");
      replays.inc({ method: method.name });
    }
    return outcome.answer;
  }
  if (outcome.refusal !== ErrorReason.IDEMPOTENCY_KEY_REUSED) {
    throw refusalOf(outcome.refusal, outcome.metadata);
  }
  throw refuse(
    Code.AlreadyExists,
    outcome.refusal,
    "this idempotency key was already used for a different request; use a new key",
  );
}
