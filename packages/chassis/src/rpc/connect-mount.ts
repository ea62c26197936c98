import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  Code,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImplSpec,
} from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest } from "@connectrpc/connect-node";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { createUserCounts } from "../base/user-counts.ts";
import { refuse } from "../contract/errors.ts";
import { type Principal, principalKey } from "../identity/principal.ts";
import { gone, requestIdKey } from "./active-call.ts";
import { readHttpRequest, supportedEncoding } from "./http-request.ts";
import { prepareHeaders } from "./request-headers.ts";
import { decodeRequest, type RequestMessage } from "./request-message.ts";
import { type Calls, isRead } from "./rpc-call.ts";
import type { UntakenAnswer, UntakenAnswers } from "./untaken-answers.ts";

/** A method, served over Connect and gRPC-Web. */
export type ConnectHandler = {
  /** The HTTP methods that it accepts. */
  readonly allow: readonly string[];
  /**
   * Answers a request with one of these methods. Without a body, the answer is an error for which
   * there is no protocol. Throws if the request line or the headers are invalid.
   */
  readonly serve: (
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ) => Promise<UniversalServerResponse>;
};

const messageKey = createContextKey<RequestMessage>(
  { bytes: new Uint8Array(), isJson: false },
  { description: "the message of a request" },
);
/**
 * Counts the call as one of the user, until its connection is free again; refuses one too many. The
 * user has shown a valid token.
 */
const admitKey = createContextKey((_userId: string): void => {}, {
  description: "admits the user of a request",
});
// What `readMessage` has taken care of, and the length of what connect-es reads instead.
const readHeaders = [
  "content-encoding",
  "connect-content-encoding",
  "grpc-encoding",
  "content-length",
];

/**
 * Creates handlers for the Connect and gRPC-Web protocols, by path (`/package.Service/Method`).
 *
 * A message is read, inflated and decoded here, and connect-es is given an empty one in its place.
 * It would decode before the token is verified, ignore what is set twice, and answer some errors
 * with INTERNAL, a quotation of the body or no reason.
 */
export function createConnectHandlers(options: {
  readonly methods: readonly MethodImplSpec[];
  readonly calls: Calls;
  readonly maxRequestBytes: number;
  readonly maxAnswerBytes: number;
  /** How many unary calls of a user may be open, until their answers have been taken. */
  readonly maxConnectCallsPerUser: number;
  readonly untaken: UntakenAnswers;
}): ReadonlyMap<string, ConnectHandler> {
  const { methods, calls, maxRequestBytes, maxAnswerBytes, maxConnectCallsPerUser } = options;
  const openCalls = createUserCounts();
  const router = createConnectRouter({
    grpc: false,
    acceptCompression: [],
    writeMaxBytes: maxAnswerBytes,
  });

  const open = (method: DescMethod, context: HandlerContext) => {
    const requestId = context.values.get(requestIdKey);
    const authorization = context.requestHeader.get("authorization");
    const origin = { method, protocol: context.protocolName, requestId, authorization };
    const call = calls.open(origin, context.timeoutMs());
    // The client may have gone while its message was read.
    if (context.signal.aborted) call.abort(gone);
    context.signal.addEventListener("abort", () => call.abort(gone));
    const admitted = (principal: Principal) => {
      context.values.set(principalKey, principal);
      context.values.get(admitKey)(principal.userId);
      return { ...context, signal: call.signal, timeoutMs: call.timeoutMs };
    };
    const codec = {
      read: () => decodeRequest(method.input, context.values.get(messageKey)),
      write: (answer: Message) => answer,
    };
    return { call, codec, admitted };
  };
  for (const spec of methods) {
    if (spec.kind === "unary") {
      router.rpc(spec.method, (_empty, context) => {
        const { call, codec, admitted } = open(spec.method, context);
        return calls.unary(call, codec, (message, principal) =>
          spec.impl(message, admitted(principal)),
        );
      });
    } else if (spec.kind === "server_streaming") {
      router.rpc(spec.method, async function* (_empty, context) {
        const { call, codec, admitted } = open(spec.method, context);
        yield* calls.stream(call, codec, (message, principal) =>
          spec.impl(message, admitted(principal)),
        );
      });
    }
  }

  const handlers = new Map<string, ConnectHandler>();
  for (const handler of router.handlers) {
    const { method } = handler;
    const serve: ConnectHandler["serve"] = (request, response, requestId) => {
      const invalid = prepareHeaders(request.headers, request.rawHeaders);
      const { contentType, acceptHeader, emptyBody, readMessage } = readHttpRequest(request);
      for (const name of readHeaders) delete request.headers[name];
      request.headers["content-type"] = contentType;
      const answer = countAnswer(response, options.untaken);
      const admit = (userId: string) => {
        answer.userId = userId;
        if (method.methodKind !== "unary" || response.closed) return;
        if (openCalls.of(userId) >= maxConnectCallsPerUser) throw tooManyOpen();
        const place = openCalls.add(userId);
        response.once("close", () => place[Symbol.dispose]());
      };
      const values = createContextValues().set(requestIdKey, requestId).set(admitKey, admit);
      const universal = universalRequestFromNodeRequest(request, response, undefined, values);
      async function* body() {
        try {
          if (invalid) throw invalid;
          values.set(messageKey, await readMessage(maxRequestBytes));
        } catch (error) {
          const refusal = calls.failed({ method, protocol: "http", requestId }, error);
          // connect-es would not let this header of an error pass.
          if (refusal.code === Code.Unimplemented)
            response.setHeader(acceptHeader, supportedEncoding);
          throw refusal;
        }
        yield emptyBody;
      }
      return handler({ ...universal, method: "POST", body: body() });
    };
    handlers.set(handler.requestPath, { allow: allowedFor(method), serve });
  }
  return handlers;
}

const tooManyOpen = () =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.OVERLOADED,
    "too many calls of this user are open; take their answers, then try again",
  );

/** How connect-node writes. */
type WriteArguments = [
  bytes: Uint8Array,
  encoding: BufferEncoding,
  done: (error?: Error | null) => void,
];

/** Counts what waits in a response. If its answer is dropped, the connection is closed. */
function countAnswer(response: ServerResponse, untaken: UntakenAnswers): UntakenAnswer {
  const answer = untaken.open(() => response.destroy());
  const write: (...args: WriteArguments) => boolean = response.write.bind(response);
  const counted = (...[bytes, encoding, done]: WriteArguments) => {
    answer.wrote(bytes.length);
    return write(bytes, encoding, (error) => {
      answer.took(bytes.length);
      done(error);
    });
  };
  response.write = counted as typeof response.write;
  response.once("close", () => answer[Symbol.dispose]());
  return answer;
}

function allowedFor(method: DescMethod): readonly string[] {
  return isRead(method) && method.methodKind === "unary" ? ["GET", "POST"] : ["POST"];
}
