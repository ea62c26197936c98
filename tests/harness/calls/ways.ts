import assert from "node:assert/strict";
import {
  create,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { Refusal } from "./call.ts";
import { pathOf, routeOf } from "./protocols.ts";
import { connectErrorRefusal, grpcRefusal, restRefusal } from "./refusals.ts";

const callTimeoutMs = 20_000;

/** The result of a call, as the caller sees it. */
export type Seen = {
  /** 0 for success, for a stream with its first message; otherwise a number of google.rpc.Code. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  /** The whole refusal in its protocol, without the parts that differ in every response. */
  readonly whole: string;
};

/**
 * Makes any call of the contract, unary or streaming, with or without an `authorization` header.
 */
export type Way = (method: DescMethod, request: object, authorization?: string) => Promise<Seen>;

/** Returns the URL of a service. */
export type UrlOf = (service: DescService) => string;

/** REST by fetch. Fails if a refusal does not have the documented form and HTTP status. */
export function byRest(urlOf: UrlOf): Way {
  return async (method, request, authorization) => {
    const json = toJson(method.input, create(method.input, request as MessageInitShape<never>));
    const { verb, path, rest } = routeOf(method, json);
    const stop = new AbortController();
    const response = await fetch(urlOf(method.parent) + path, {
      method: verb,
      headers: { "content-type": "application/json", ...(authorization && { authorization }) },
      ...(verb === "POST" && { body: JSON.stringify(rest) }),
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(callTimeoutMs)]),
    });
    if (response.ok && method.methodKind !== "unary") {
      assert.equal(response.headers.get("content-type"), "text/event-stream");
      const { value } = (await response.body?.getReader().read()) ?? {};
      assert.match(Buffer.from(value ?? []).toString(), /^data: \{/);
      stop.abort();
      return answered;
    }
    const text = await response.text();
    if (response.ok) return answered;
    return seenOf(documentedRefusal(response, text), text, response.headers);
  };
}

/** gRPC by grpc-js, which treats a unary call as a stream of one message. */
export function byGrpc(urlOf: UrlOf): Way {
  return async (method, request, authorization) => {
    const client = new Client(new URL(urlOf(method.parent)).host, credentials.createInsecure());
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set("authorization", authorization);
    const seen = await new Promise<Seen>((resolve) => {
      const call = client.makeServerStreamRequest(
        pathOf(method),
        (message) => Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        create(method.input, request as MessageInitShape<never>),
        metadata,
        { deadline: Date.now() + callTimeoutMs },
      );
      call.on("data", () => {
        resolve(answered);
        call.cancel();
      });
      call.on("error", (error: ServiceError) => {
        resolve(seenOf(grpcRefusal(error), "", Object.entries(error.metadata.toJSON())));
      });
    });
    client.close();
    return seen;
  };
}

/** Connect or gRPC-Web by connect-web. */
export function byTransport(transportTo: (baseUrl: string) => Transport, urlOf: UrlOf): Way {
  return async (method, request, authorization) => {
    const transport = transportTo(urlOf(method.parent));
    const stop = new AbortController();
    const headers = authorization === undefined ? {} : { authorization };
    const message = request as MessageInitShape<never>;
    try {
      if (method.methodKind === "unary") {
        const unary = method as DescMethodUnary;
        await transport.unary(unary, stop.signal, callTimeoutMs, headers, message);
      } else {
        const input = (async function* () {
          yield message;
        })();
        const stream = method as DescMethodStreaming;
        const answer = await transport.stream(stream, stop.signal, undefined, headers, input);
        for await (const _ of answer.message) break;
      }
      return answered;
    } catch (error) {
      const failure = ConnectError.from(error);
      const details = JSON.stringify(failure.details);
      return seenOf(connectErrorRefusal(failure), details, failure.metadata);
    } finally {
      stop.abort();
    }
  };
}

const answered: Seen = { code: 0, reason: "", message: "", whole: "" };
const statuses: Readonly<Record<number, number>> = {
  [Code.Unauthenticated]: 401,
  [Code.PermissionDenied]: 403,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.FailedPrecondition]: 400,
  [Code.ResourceExhausted]: 429,
};

function seenOf(
  { code, reason, message }: Refusal,
  body: string,
  headers: Iterable<[string, unknown]>,
): Seen {
  const same = [...headers].filter(([name]) => name !== "x-request-id" && name !== "date");
  return { code, reason, message, whole: JSON.stringify([body, ...same.sort()]) };
}

function documentedRefusal({ status, headers }: Response, text: string): Refusal {
  assert.equal(headers.get("content-type"), "application/json");
  assert.match(headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  const { code, message, details, ...more } = JSON.parse(text);
  assert.equal(status, statuses[code], text);
  assert.deepEqual(more, {});
  const [info] = details;
  assert.equal(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
  if (code === Code.Unauthenticated) {
    assert.equal(info.domain, "edge.settle");
    assert.equal(headers.get("www-authenticate"), 'Bearer realm="settle"');
  } else {
    assert.match(info.domain, /^(orders|payments)\.settle$/);
  }
  return restRefusal({ code, message, details });
}
