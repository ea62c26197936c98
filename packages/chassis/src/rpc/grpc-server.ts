import assert from "node:assert/strict";
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { inDomain } from "../contract/errors.ts";
import { explainStatuses, grpcStatusOf } from "./grpc-status.ts";
import { httpRefusalOf } from "./http-refusal.ts";
import { prepareHeaders } from "./request-headers.ts";
import { noSuchMethod, unsupportedType } from "./request-message.ts";
import type { RpcLimits } from "./rpc-limits.ts";

/** As good as no limit. */
const maxResets = 1_000_000_000;

/** Creates a grpc-js server with the limits and without methods. No input can crash its process. */
export function createGrpcServer(options: {
  readonly limits: RpcLimits;
  /** The `domain` of every error. */
  readonly domain: string;
  readonly log: Logger;
}): Server {
  const { limits, domain, log } = options;
  // For each invalid header grpc-js would print a line with the sender's text, bypassing the log.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    interceptors: [explainStatuses({ ...limits, domain })],
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": limits.maxRequestBytes,
    "grpc.max_send_message_length": limits.maxAnswerBytes,
    "grpc.max_concurrent_streams": limits.maxStreamsPerConnection,
    "grpc-node.max_session_memory": limits.maxSessionMegabytes,
    "grpc.keepalive_time_ms": limits.pingIntervalMs,
    "grpc.keepalive_timeout_ms": limits.pingTimeoutMs,
  });
  allowResets(server);
  guardStreams(server, domain, log);
  return server;
}

/**
 * Node closes a connection that resets more than 1,000 streams, and then 33 per second. The edge
 * sends the calls of all users through one connection, so one user who leaves calls would fail those
 * of the others. The edge itself closes connections of clients that reset too much. grpc-js has no
 * option for this, so it is added to those that it passes on.
 */
function allowResets(server: Server): void {
  const options: unknown = Reflect.get(server, "commonServerOptions");
  assert(options instanceof Object, "grpc-js no longer has the field commonServerOptions");
  Object.assign(options, { streamResetBurst: maxResets, streamResetRate: maxResets });
}

// grpc-js takes any subtype for protobuf.
const grpcType = /^application\/grpc(\+proto)?\s*(;|$)/i;

/**
 * grpc-js answers an unknown path or content type without a reason. It also does so without checking
 * whether the request has already been reset, which is possible because the first bytes of a
 * connection reach its session all at once; Node then throws, and one such request would end the
 * process. There is no public hook before that answer, so this wraps the private method through
 * which every request enters.
 */
function guardStreams(server: Server, domain: string, log: Logger): void {
  const serve: unknown = Reflect.get(server, "_streamHandler");
  const find: unknown = Reflect.get(server, "_retrieveHandler");
  assert(typeof serve === "function", "grpc-js no longer has the method _streamHandler");
  assert(typeof find === "function", "grpc-js no longer has the method _retrieveHandler");
  const refusalOf = (headers: Record<string, unknown>, raw: readonly string[]) => {
    const invalid = prepareHeaders(headers, raw);
    const path = headers[":path"];
    return Reflect.apply(find, server, [path]) === null ? noSuchMethod() : invalid;
  };
  type Enter = [
    interceptors: unknown,
    stream: ServerHttp2Stream,
    headers: Record<string, unknown>,
    flags: number,
    raw: readonly string[],
  ];
  Reflect.set(server, "_streamHandler", (...request: Enter) => {
    const [, stream, headers, , raw] = request;
    try {
      if (!grpcType.test(String(headers["content-type"]))) {
        return refuseType(stream, inDomain(unsupportedType(), domain));
      }
      const refusal = refusalOf(headers, raw);
      if (refusal) refuseCall(stream, inDomain(refusal, domain));
      else Reflect.apply(serve, server, request);
    } catch (error) {
      log.debug({ err: error }, "a gRPC request could not be served");
    }
  });
}

function refuseCall(stream: ServerHttp2Stream, error: ConnectError): void {
  const { code, details, metadata } = grpcStatusOf(error);
  respond(stream, {
    ":status": 200,
    "content-type": "application/grpc+proto",
    "grpc-status": code,
    "grpc-message": encodeURI(details),
    ...metadata.toHttp2Headers(),
  });
}

function refuseType(stream: ServerHttp2Stream, error: ConnectError): void {
  const { status, headers, body } = httpRefusalOf(undefined, 415, error);
  respond(stream, { ":status": status, ...headers }, body);
}

function respond(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders, body?: Uint8Array): void {
  // A reset may still arrive.
  stream.on("error", () => {});
  stream.resume();
  stream.respond(headers, { endStream: body === undefined });
  if (body) stream.end(body);
}
