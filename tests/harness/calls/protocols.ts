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
import { ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { http } from "@settle/gen/google/api/annotations_pb";
import { asOwner, headersOf } from "../system/tokens.ts";
import type { Caller, Refusal } from "./call.ts";
import { connectErrorRefusal, connectRefusal, grpcRefusal, lost, restRefusal } from "./refusals.ts";

const callTimeoutMs = 20_000;
const buf = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));

/** REST/JSON by fetch, at the paths in the annotations of the contract. */
export function callRest(baseUrl: string): Caller {
  return async (method, request) => {
    const { verb, path, rest } = routeOf(
      method,
      toJson(method.input, create(method.input, request)),
    );
    const query = verb === "GET" ? `?${new URLSearchParams(rest as Record<string, string>)}` : "";
    const headers = await headersOf(asOwner, request, { "content-type": "application/json" });
    return answerOfFetch(method.output, restRefusal, () =>
      fetch(baseUrl + path + query, {
        method: verb,
        ...(verb === "GET" ? {} : { body: JSON.stringify(rest) }),
        headers,
        signal: AbortSignal.timeout(callTimeoutMs),
      }),
    );
  };
}

/** Connect JSON by plain fetch, as a program without any library does it. */
export function callConnectByFetch(urlOf: (service: DescService) => string): Caller {
  return async (method, request) => {
    const headers = await headersOf(asOwner, request, { "content-type": "application/json" });
    return answerOfFetch(method.output, connectRefusal, () =>
      fetch(urlOf(method.parent) + pathOf(method), {
        method: "POST",
        headers,
        body: JSON.stringify(toJson(method.input, create(method.input, request))),
        signal: AbortSignal.timeout(callTimeoutMs),
      }),
    );
  };
}

/** Connect JSON by connect-web, as a page does it. */
export function callConnect(baseUrl: string): Caller {
  return callTransport(createConnectTransport({ baseUrl }));
}

/** gRPC-Web by connect-web, as a page does it. */
export function callGrpcWeb(baseUrl: string): Caller {
  return callTransport(createGrpcWebTransport({ baseUrl }));
}

/** gRPC by plain grpc-js; disposing closes its connections. */
export function createGrpcCaller(
  urlOf: (service: DescService) => string,
): Disposable & { readonly call: Caller } {
  const clients = new Map<string, Client>();
  const clientOf = (service: DescService) => {
    const { host } = new URL(urlOf(service));
    const client = clients.get(host) ?? new Client(host, credentials.createInsecure());
    clients.set(host, client);
    return client;
  };
  return {
    call: async (method, request) => {
      const metadata = new Metadata();
      const headers = await headersOf(asOwner, request);
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      return new Promise((resolve) => {
        clientOf(method.parent).makeUnaryRequest(
          pathOf(method),
          (message) => Buffer.from(toBinary(method.input, message)),
          (bytes: Buffer) => fromBinary(method.output, bytes),
          create(method.input, request),
          metadata,
          { deadline: Date.now() + callTimeoutMs },
          (error, message) => {
            if (message) resolve({ ok: true, message });
            else resolve(grpcRefusal(error as ServiceError));
          },
        );
      });
    },
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
    const { authorization } = await headersOf(asOwner, request);
    args.push("--header", `authorization: ${authorization}`, baseUrl + pathOf(method));
    try {
      const { stdout } = await promisify(execFile)(buf, args, {
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
    const headers = await headersOf(asOwner, request);
    try {
      const response = await transport.unary(method, undefined, callTimeoutMs, headers, request);
      return { ok: true, message: response.message };
    } catch (error) {
      return connectErrorRefusal(ConnectError.from(error));
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

/** The path of a method in gRPC, gRPC-Web and Connect. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Fills the pattern of the method's route; `rest` are the remaining fields, for query or body. */
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
