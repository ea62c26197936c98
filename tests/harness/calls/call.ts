import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";

/** A call that was refused, or of which nobody knows how it ended. */
export type Refusal = {
  readonly ok: false;
  /** A number of google.rpc.Code. */
  readonly code: number;
  /** The bare word of the ErrorInfo; empty where there is none. */
  readonly reason: string;
  readonly message: string;
  /** The fields that the BadRequest names. */
  readonly fields: readonly string[];
};

/** How a call ended, whatever the protocol. */
export type Answer<Message> = { readonly ok: true; readonly message: Message } | Refusal;

/** Calls a unary method of the contract by one protocol. Never rejects for what the far side does. */
export type Caller = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
) => Promise<Answer<MessageShape<O>>>;

/** Codes after which the call may have taken effect all the same. */
const openCodes = new Set([
  1, // CANCELLED
  2, // UNKNOWN
  4, // DEADLINE_EXCEEDED
  13, // INTERNAL
  14, // UNAVAILABLE
]);

/** Says what the caller knows of the call's effect: there, not there, or either. */
export function outcomeOf(answer: Answer<unknown>): "ok" | "failed" | "unknown" {
  if (answer.ok) return "ok";
  return openCodes.has(answer.code) ? "unknown" : "failed";
}

/** Returns the message of a call that must not fail. */
export async function successOf<Message>(call: Promise<Answer<Message>>): Promise<Message> {
  const answer = await call;
  if (answer.ok) return answer.message;
  throw new Error(`refused with ${answer.code} ${answer.reason}: ${answer.message}`);
}

/** Returns the refusal of a call that must be refused. */
export async function refusalOf(call: Promise<Answer<unknown>>): Promise<Refusal> {
  const answer = await call;
  if (!answer.ok) return answer;
  throw new Error(`not refused: ${JSON.stringify(answer.message, bigintAsText)}`);
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
