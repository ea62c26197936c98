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
import type { PlayedAnswer } from "./recording.ts";
import type { Step } from "./scenario.ts";

const maxLooks = 200;
const lookIntervalMs = 50;
const callTimeoutMs = 30_000;

/** Where calls are played. */
export type Stage = {
  readonly edgeUrl: string;
  /** The types by which messages are written and read: those of the release, not of today. */
  readonly types: FileRegistry;
  /** A token, where calls need one. */
  readonly token: (user: string, admin: boolean) => Promise<string | undefined>;
};

/**
 * Makes the calls of the steps, one after the other, as a client of that release would, and hands
 * each answer to `onAnswer`. Throws where a status that a step waits for does not come in 10 s.
 */
export async function play<S extends Step>(
  stage: Stage,
  steps: readonly S[],
  onAnswer: (step: S, answer: PlayedAnswer) => void,
): Promise<void> {
  const kept = new Map<string, string>();
  for (const step of steps) {
    const request = fillIn(step.request, kept) as JsonObject;
    const once = () => (step.way === "rest" ? callRest : callBinary)(stage, step, request);
    let answer = await once();
    for (let look = 1; step.until !== undefined && answer.body.status !== step.until; look++) {
      if (look > maxLooks) {
        throw new Error(`${step.rest} stays at ${JSON.stringify(answer)}, not ${step.until}`);
      }
      await pause(lookIntervalMs);
      answer = await once();
    }
    if (step.keepAs !== undefined) kept.set(`$${step.keepAs}`, String(answer.body.id));
    onAnswer(step, answer);
  }
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
  return { status: response.status, body: (await response.json()) as JsonObject };
}

async function callBinary(stage: Stage, step: Step, request: JsonObject): Promise<PlayedAnswer> {
  const { input, output } = methodOf(stage, step);
  const sent = toBinary(input, fromJson(input, request, { registry: stage.types }));
  const response = await fetch(new URL(step.method, stage.edgeUrl), {
    method: "POST",
    headers: {
      ...(await headersOf(stage, step)),
      "content-type": "application/proto",
      "connect-protocol-version": "1",
    },
    body: sent,
    signal: AbortSignal.timeout(callTimeoutMs),
  });
  const { status } = response;
  const bytes = { request: Buffer.from(sent).toString("base64") };
  if (!response.ok) {
    const { code } = (await response.json()) as { code: string };
    return { status, body: { code }, bytes };
  }
  const got = await response.bytes();
  const body = toJson(output, fromBinary(output, got), {
    registry: stage.types,
    alwaysEmitImplicit: true,
  }) as JsonObject;
  return { status, body, bytes: { ...bytes, answer: Buffer.from(got).toString("base64") } };
}

function methodOf({ types }: Stage, { method }: Step): DescMethod {
  const [service = "", name] = method.split("/");
  const found = types.getService(service)?.methods.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`there is no ${method}`);
  return found;
}

async function headersOf(stage: Stage, { user, admin, headers }: Step) {
  const token = await stage.token(user, admin === true);
  return { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
}
