import { setTimeout as pause } from "node:timers/promises";
import {
  type DescMethod,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { createHold } from "./hold.ts";
import { readEnvelopes, readServerSentEvents, type Streamed } from "./read-stream.ts";
import type { PlayedAnswer } from "./recording.ts";
import type { Step } from "./step.ts";

const maxLooks = 200;
const lookIntervalMs = 50;
const callTimeoutMs = 30_000;
const maxMessages = 100;
/** The response headers that are recorded. Others, such as `x-request-id`, differ each time. */
const contractHeaders = ["idempotency-replayed", "preference-applied"];

/** The environment in which calls are played. */
export type Stage = {
  readonly edgeUrl: string;
  /** The types to encode and decode messages: those of the release, not the current ones. */
  readonly types: FileRegistry;
  /** Returns a token if calls need one. */
  readonly token: (user: string, admin: boolean) => Promise<string | undefined>;
  /** The only process of payments. It is stopped for the steps that require it. */
  readonly paymentsPid: number;
};

/**
 * Makes the calls of the steps one after another, as a client of that release would, and passes
 * each response to `onAnswer`. Reads a stream up to its first heartbeat, which says that everything
 * has been sent. Throws if the state that a step waits for is not reached within 10 s.
 */
export async function play<S extends Step>(
  stage: Stage,
  steps: readonly S[],
  onAnswer: (step: S, answer: PlayedAnswer) => void,
): Promise<void> {
  const kept = { rest: new Map<string, string>(), binary: new Map<string, string>() };
  using payments = createHold(stage.paymentsPid);
  for (const step of steps) {
    payments.set(step.paymentsHeld === true);
    const request = fillIn(step.request, kept[step.way]) as JsonObject;
    const once = () => (step.way === "rest" ? callRest : callBinary)(stage, step, request);
    let answer = await once();
    for (let look = 1; !isReached(step, answer.body); look++) {
      if (look > maxLooks) {
        const wanted = step.until ?? `${step.untilRefunded} refunded`;
        throw new Error(`${step.rest} still returns ${JSON.stringify(answer)}, not ${wanted}`);
      }
      await pause(lookIntervalMs);
      answer = await once();
    }
    if (step.keepAs !== undefined) {
      kept[step.way].set(`$${step.keepAs}`, String(answer.body.id));
      kept[step.way].set(`$${step.keepAs}.revision`, String(answer.body.revision));
    }
    onAnswer(step, answer);
  }
}

function isReached({ until, untilRefunded }: Step, { status, refundedAmount }: JsonObject) {
  if (until !== undefined && status !== until) return false;
  const { minorUnits } = (refundedAmount ?? {}) as JsonObject;
  return untilRefunded === undefined || minorUnits === untilRefunded;
}

function fillIn(value: JsonValue, kept: ReadonlyMap<string, string>): JsonValue {
  if (typeof value === "string") return kept.get(value) ?? value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fillIn(v, kept)]));
}

async function callRest(stage: Stage, step: Step, request: JsonObject): Promise<PlayedAnswer> {
  const [method = "", template = ""] = step.rest.split(" ");
  const left: Record<string, JsonValue> = { ...request };
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(left[name]);
    delete left[name];
    return value;
  });
  const url = new URL(path, stage.edgeUrl);
  const hasBody = method === "POST";
  if (!hasBody) for (const [k, v] of Object.entries(left)) url.searchParams.set(k, String(v));
  const response = await fetch(url, {
    method,
    headers: { ...(await headersOf(stage, step)), "content-type": "application/json" },
    ...(hasBody && { body: JSON.stringify(left) }),
    signal: AbortSignal.timeout(callTimeoutMs),
  });
  const facts = factsOf(response);
  if (!isStream(methodOf(stage, step)) || !response.ok || !response.body) {
    return { ...facts, body: (await response.json()) as JsonObject };
  }
  return { ...facts, body: (await takeAll(readServerSentEvents(response.body), JSON.parse)).body };
}

async function callBinary(stage: Stage, step: Step, request: JsonObject): Promise<PlayedAnswer> {
  const method = methodOf(stage, step);
  const sent = toBinary(method.input, fromJson(method.input, request, { registry: stage.types }));
  const response = await fetch(new URL(step.method, stage.edgeUrl), {
    method: "POST",
    headers: {
      ...(await headersOf(stage, step)),
      "content-type": isStream(method) ? "application/connect+proto" : "application/proto",
      "connect-protocol-version": "1",
    },
    body: isStream(method) ? encodeEnvelope(0, sent) : sent,
    signal: AbortSignal.timeout(callTimeoutMs),
  });
  const facts = factsOf(response);
  const bytes = { request: inBase64(sent) };
  const read = (message: Uint8Array) =>
    toJson(method.output, fromBinary(method.output, message), {
      registry: stage.types,
      alwaysEmitImplicit: true,
    }) as JsonObject;
  if (!response.ok || !response.body) {
    const { code } = (await response.json()) as { code: string };
    return { ...facts, body: { code }, bytes };
  }
  if (isStream(method)) {
    const { body, taken } = await takeAll(readEnvelopes(response.body), read);
    return { ...facts, body, bytes: { ...bytes, messages: taken.map(inBase64) } };
  }
  const got = await response.bytes();
  return { ...facts, body: read(got), bytes: { ...bytes, answer: inBase64(got) } };
}

/** Reads the messages up to the first heartbeat, or up to the error that ends the stream. */
async function takeAll<Message>(
  stream: AsyncIterable<Streamed<Message>>,
  read: (message: Message) => JsonObject,
): Promise<{ readonly body: JsonObject; readonly taken: readonly Message[] }> {
  const taken: Message[] = [];
  const messages: JsonObject[] = [];
  for await (const next of stream) {
    if ("code" in next) return { body: { code: next.code, messages }, taken };
    const message = read(next.message);
    taken.push(next.message);
    messages.push(message);
    if ("heartbeat" in message) return { body: { messages }, taken };
    if (messages.length === maxMessages) break;
  }
  throw new Error(`no heartbeat after ${messages.length} messages`);
}

function factsOf({ status, headers }: Response): Pick<PlayedAnswer, "status" | "headers"> {
  const found = contractHeaders.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { status, ...(found.length > 0 && { headers: Object.fromEntries(found) }) };
}

function isStream({ methodKind }: DescMethod): boolean {
  return methodKind === "server_streaming";
}

function inBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function methodOf({ types }: Stage, { method }: Step): DescMethod {
  const [service = "", name] = method.split("/");
  const found = types.getService(service)?.methods.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`there is no method ${method}`);
  return found;
}

async function headersOf(stage: Stage, { user, admin, headers }: Step) {
  const token = await stage.token(user, admin === true);
  return { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
}
