import assert from "node:assert/strict";
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { logVerbosity, type Metadata, Server, setLogVerbosity } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { TransientMap } from "../base/transient-map.ts";
import { inDomain } from "../contract/errors.ts";
import { explainStatuses, grpcStatusOf } from "./grpc-status.ts";
import { httpRefusalOf } from "./http-refusal.ts";
import { prepareHeaders } from "./request-headers.ts";
import { noSuchMethod, unsupportedType } from "./request-message.ts";
import type { RpcLimits } from "./rpc-limits.ts";
import { keepStreamsBriefly } from "./session-streams.ts";
import type { UntakenAnswer, UntakenAnswers } from "./untaken-answers.ts";

/** As good as no limit. */
const maxResets = 1_000_000_000;
/**
 * How much of an answer an HTTP/2 stream gets at a time: as much as a reader takes by default before
 * it has to ask for more.
 */
const pieceBytes = 64 * 1024 - 1;

/** Writes up to this size are not counted: a stream has one of them at a time. */
const uncountedBytes = 4 * 1024;

/** A grpc-js server, and the answers that it sends. */
export type GrpcServer = {
  readonly server: Server;
  /** Returns the answer of a call that has this metadata, unless the call has ended. */
  answerOf(metadata: Metadata): UntakenAnswer | undefined;
};

/**
 * Creates a grpc-js server with the limits and without methods. No input can crash its process. An
 * answer that is dropped from `untaken` ends in a reset with ENHANCE_YOUR_CALM, which gRPC clients
 * report as RESOURCE_EXHAUSTED.
 */
export function createGrpcServer(options: {
  readonly limits: RpcLimits;
  readonly untaken: UntakenAnswers;
  /** The `domain` of every error. */
  readonly domain: string;
  readonly log: Logger;
}): GrpcServer {
  const { limits, untaken, domain, log } = options;
  // For each invalid header grpc-js would print a line with the sender's text, bypassing the log.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    interceptors: [explainStatuses({ ...limits, domain })],
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": limits.maxRequestBytes,
    "grpc.max_send_message_length": limits.maxAnswerBytes,
    "grpc.max_concurrent_streams": limits.maxStreamsPerConnection,
    // Node would count all streams of a connection together, which many users share, and never
    // subtract what was not sent before a reset. What waits is counted by user instead.
    "grpc-node.max_session_memory": Number.MAX_SAFE_INTEGER,
    "grpc.keepalive_time_ms": limits.pingIntervalMs,
    "grpc.keepalive_timeout_ms": limits.pingTimeoutMs,
  });
  allowResets(server);
  let lastId = 0;
  const answers = new TransientMap<UntakenAnswer>();
  guardStreams(server, domain, log, (stream, headers) => {
    if (stream.session) keepStreamsBriefly(stream.session);
    const answer = writeInPieces(stream, untaken);
    const id = ++lastId;
    answers.set(id, answer);
    headers[answerKey] = String(id);
    stream.once("close", () => {
      answers.delete(id);
      answer[Symbol.dispose]();
    });
  });
  return {
    server,
    answerOf: (metadata) => answers.get(Number(metadata.get(answerKey)[0])),
  };
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

/** The only way from a stream to the call that grpc-js makes of it is a header. */
const answerKey = "x-settle-answer";

// grpc-js takes any subtype for protobuf.
const grpcType = /^application\/grpc(\+proto)?\s*(;|$)/i;

/**
 * grpc-js answers an unknown path or content type without a reason. It also does so without checking
 * whether the request has already been reset, which is possible because the first bytes of a
 * connection reach its session all at once; Node then throws, and one such request would end the
 * process. There is no public hook before that answer, so this wraps the private method through
 * which every request enters.
 */
function guardStreams(
  server: Server,
  domain: string,
  log: Logger,
  enter: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void,
): void {
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
      if (refusal) return refuseCall(stream, inDomain(refusal, domain));
      // A reset may have been in the same packet.
      if (stream.destroyed) return void stream.on("error", () => {});
      enter(stream, headers);
      Reflect.apply(serve, server, request);
    } catch (error) {
      log.debug({ err: error }, "a gRPC request could not be served");
    }
  });
}

/**
 * Lets a stream have one piece of a message at a time: Node keeps what it has been given until the
 * reader takes it. grpc-js writes one message at a time.
 */
function writeInPieces(stream: ServerHttp2Stream, untaken: UntakenAnswers): UntakenAnswer {
  const answer = untaken.open(() => {
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    stream.destroy();
  });
  type Done = (error?: Error | null) => void;
  type Write = (bytes: Buffer, done: Done) => boolean;
  const write: Write = stream.write;
  const writeNext = (bytes: Buffer, done: Done) => {
    const piece = bytes.subarray(0, pieceBytes);
    Reflect.apply(write, stream, [
      piece,
      (error?: Error | null) => {
        answer.took(piece.length);
        if (error || piece.length === bytes.length) done(error);
        // The deadline may have ended the answer.
        else if (stream.writable) writeNext(bytes.subarray(pieceBytes), done);
      },
    ]);
  };
  stream.write = (bytes: Buffer, done: unknown) => {
    if (bytes.length <= uncountedBytes) {
      answer.passed(bytes.length);
      return Reflect.apply(write, stream, [bytes, done]);
    }
    answer.wrote(bytes.length);
    writeNext(bytes, done as Done);
    return true;
  };
  return answer;
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
