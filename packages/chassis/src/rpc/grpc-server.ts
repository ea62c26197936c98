import assert from "node:assert/strict";
import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { dropEndlessTimeouts, emptyOddKey } from "./request-headers.ts";
import type { RpcLimits } from "./rpc-limits.ts";

/** Creates a grpc-js server with the limits and without methods. No input can crash its process. */
export function createGrpcServer(limits: RpcLimits, log: Logger): Server {
  // For each invalid header grpc-js would print a line with the sender's text, bypassing the log.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": limits.maxRequestBytes,
    "grpc.max_send_message_length": limits.maxAnswerBytes,
    "grpc.max_concurrent_streams": limits.maxStreamsPerConnection,
    "grpc-node.max_session_memory": limits.maxSessionMegabytes,
    "grpc.keepalive_time_ms": limits.pingIntervalMs,
    "grpc.keepalive_timeout_ms": limits.pingTimeoutMs,
  });
  guardStreams(server, log);
  return server;
}

/**
 * The first bytes of a connection reach its session all at once, so a request in them may already
 * be reset when grpc-js handles it. grpc-js 1.14 answers an unknown path or content type without
 * checking for that; Node then throws, and one such request would end the process. There is no
 * public hook before that answer, so this wraps the private method through which every request
 * enters.
 */
function guardStreams(server: Server, log: Logger): void {
  const serve: unknown = Reflect.get(server, "_streamHandler");
  assert(typeof serve === "function", "grpc-js no longer has the method _streamHandler");
  type Enter = [interceptors: unknown, stream: unknown, headers: Record<string, unknown>];
  Reflect.set(server, "_streamHandler", (...request: Enter) => {
    try {
      dropEndlessTimeouts(request[2]);
      emptyOddKey(request[2]);
      Reflect.apply(serve, server, request);
    } catch (error) {
      log.debug({ err: error }, "a gRPC request could not be served");
    }
  });
}
