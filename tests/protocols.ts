import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  fromJson,
  getOption,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { http } from "@settle/gen/google/api/annotations_pb";
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
} from "@settle/gen/google/rpc/error_details_pb";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";
import type { Caller, Refusal } from "./call.ts";

const callTimeoutMs = 20_000;
const buf = fileURLToPath(new URL("../node_modules/.bin/buf", import.meta.url));

/** REST/JSON by fetch, at the paths that the contract's annotations give. */
export function callRest(baseUrl: string): Caller {
  return async (method, request) => {
    const { verb, path, rest } = routeOf(
      method,
      toJson(method.input, create(method.input, request)),
    );
    const query = verb === "GET" ? `?${new URLSearchParams(rest as Record<string, string>)}` : "";
    return answerOfFetch(method.output, restRefusal, () =>
      fetch(baseUrl + path + query, {
        method: verb,
        ...(verb === "GET" ? {} : { body: JSON.stringify(rest) }),
        headers: { "content-type": "application/json" },
        signal: AbortSignal.timeout(callTimeoutMs),
      }),
    );
  };
}

/** Connect JSON by a bare fetch, as a program without any library does it. */
export function callConnectByFetch(urlOf: (service: DescService) => string): Caller {
  return (method, request) =>
    answerOfFetch(method.output, connectRefusal, () =>
      fetch(urlOf(method.parent) + pathOf(method), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(toJson(method.input, create(method.input, request))),
        signal: AbortSignal.timeout(callTimeoutMs),
      }),
    );
}

/** Connect JSON by connect-web, as a page does it. */
export function callConnect(baseUrl: string): Caller {
  return callTransport(createConnectTransport({ baseUrl }));
}

/** gRPC-Web by connect-web, as a page does it. */
export function callGrpcWeb(baseUrl: string): Caller {
  return callTransport(createGrpcWebTransport({ baseUrl }));
}

/** gRPC by grpc-js without anything of ours; disposing closes its connections. */
export function createGrpcCaller(urlOf: (service: DescService) => string): Disposable & {
  readonly call: Caller;
} {
  const clients = new Map<string, Client>();
  const clientOf = (service: DescService) => {
    const { host } = new URL(urlOf(service));
    const client = clients.get(host) ?? new Client(host, credentials.createInsecure());
    clients.set(host, client);
    return client;
  };
  return {
    call: (method, request) =>
      new Promise((resolve) => {
        clientOf(method.parent).makeUnaryRequest(
          pathOf(method),
          (message) => Buffer.from(toBinary(method.input, message)),
          (bytes: Buffer) => fromBinary(method.output, bytes),
          create(method.input, request),
          { deadline: Date.now() + callTimeoutMs },
          (error, message) => {
            if (message) resolve({ ok: true, message });
            else resolve(grpcRefusal(error as ServiceError));
          },
        );
      }),
    [Symbol.dispose]() {
      for (const client of clients.values()) client.close();
    },
  };
}

/** gRPC by `buf curl`, which learns the contract from the server by reflection. */
export function callBufCurl(baseUrl: string): Caller {
  return async (method, request) => {
    const data = JSON.stringify(toJson(method.input, create(method.input, request)));
    const args = ["curl", "--http2-prior-knowledge", "--protocol", "grpc", "--data", data];
    try {
      const { stdout } = await promisify(execFile)(buf, [...args, baseUrl + pathOf(method)], {
        timeout: callTimeoutMs,
      });
      return { ok: true, message: fromJson(method.output, JSON.parse(stdout)) };
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      if (!stderr?.startsWith("{")) return lost(error);
      return connectRefusal(JSON.parse(stderr));
    }
  };
}

function callTransport(transport: Transport): Caller {
  return async (method, request) => {
    try {
      const response = await transport.unary(method, undefined, callTimeoutMs, undefined, request);
      return { ok: true, message: response.message };
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
      const [bad] = ConnectError.from(error).findDetails(BadRequestSchema);
      return refusal(code, rawMessage, info, bad);
    }
  };
}

async function answerOfFetch<O extends DescMessage>(
  output: O,
  refusalIn: (body: never) => Refusal,
  send: () => Promise<Response>,
) {
  try {
    const response = await send();
    const body = (await response.json()) as JsonValue;
    if (!response.ok) return refusalIn(body as never);
    return { ok: true as const, message: fromJson(output, body) };
  } catch (error) {
    return lost(error);
  }
}

/** Nobody answered, or nothing that can be read: the call may or may not have taken effect. */
function lost(error: unknown): Refusal {
  return refusal(Code.Unknown, `no answer: ${error}`, undefined, undefined);
}

function refusal(
  code: number,
  message: string,
  info: ErrorInfo | undefined,
  bad: BadRequest | undefined,
): Refusal {
  const fields = bad?.fieldViolations.map(({ field }) => field) ?? [];
  return { ok: false, code, reason: info?.reason ?? "", message, fields };
}

/** Reads the refusal in the body of a REST answer. */
export function restRefusal(body: {
  code: number;
  message: string;
  details: JsonObject[];
}): Refusal {
  const detail = <Schema extends DescMessage>(schema: Schema) => {
    const found = body.details.find(
      (one) => one["@type"] === `type.googleapis.com/${schema.typeName}`,
    );
    if (!found) return undefined;
    const { "@type": _, ...json } = found;
    return fromJson(schema, json);
  };
  return refusal(body.code, body.message, detail(ErrorInfoSchema), detail(BadRequestSchema));
}

function connectRefusal(body: {
  code: string;
  message: string;
  details?: { type: string; value: string }[];
}): Refusal {
  const detail = <Schema extends DescMessage>(schema: Schema) => {
    const found = body.details?.find(({ type }) => type.endsWith(schema.typeName));
    return found && fromBinary(schema, Buffer.from(found.value, "base64"));
  };
  const name = body.code.replaceAll(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
  const code = Code[name as keyof typeof Code];
  return refusal(code, body.message, detail(ErrorInfoSchema), detail(BadRequestSchema));
}

/** Reads the refusal that grpc-js ends a call with. */
export function grpcRefusal({ code, details, metadata }: ServiceError): Refusal {
  const [bytes] = metadata.get("grpc-status-details-bin");
  const packed = bytes instanceof Buffer ? fromBinary(StatusSchema, bytes).details : [];
  const detail = <Schema extends DescMessage>(schema: Schema) =>
    packed.map((any) => anyUnpack(any, schema)).find((message) => message !== undefined);
  return refusal(code, details, detail(ErrorInfoSchema), detail(BadRequestSchema));
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Fills the pattern of the method's route; `rest` is what is left for the query or the body. */
export function routeOf(method: DescMethod, request: JsonValue) {
  const { pattern } = getOption(method, http);
  if (pattern.case !== "get" && pattern.case !== "post") {
    throw new Error(`${method.name} has no route`);
  }
  const rest = { ...(request as JsonObject) };
  const path = pattern.value.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const json = method.input.fields.find((field) => field.name === name)?.jsonName ?? name;
    const value = encodeURIComponent(String(rest[json]));
    delete rest[json];
    return value;
  });
  return { verb: pattern.case.toUpperCase(), path, rest };
}
