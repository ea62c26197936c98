import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";

/** A call that was refused, or whose outcome is unknown. */
export type Refusal = {
  readonly ok: false;
  /** A number of google.rpc.Code. */
  readonly code: number;
  /** The reason in the ErrorInfo; empty if there is none. */
  readonly reason: string;
  readonly message: string;
  /** The fields in the BadRequest. */
  readonly fields: readonly string[];
};

/** The result of a call, independent of the protocol. */
export type Answer<Message> = { readonly ok: true; readonly message: Message } | Refusal;

/** Calls a unary method of the contract by one protocol. Never rejects because of the server. */
export type Caller = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
) => Promise<Answer<MessageShape<O>>>;

/** Codes after which the call may have taken effect. */
const openCodes = new Set([
  1, // CANCELLED
  2, // UNKNOWN
  4, // DEADLINE_EXCEEDED
  13, // INTERNAL
  14, // UNAVAILABLE
]);

/** Returns what the caller knows about the effect of the call. */
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
