import type { IncomingMessage, ServerResponse } from "node:http";
import { type DescMethod, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import {
  Code,
  createConnectRouter,
  createContextValues,
  type HandlerContext,
  type MethodImplSpec,
} from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest } from "@connectrpc/connect-node";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse } from "../contract/errors.ts";
import { type Principal, principalKey } from "../identity/principal.ts";
import { gone, requestIdKey } from "./active-call.ts";
import { dropEndlessTimeouts } from "./request-headers.ts";
import type { Calls } from "./rpc-call.ts";

const envelopeHeaderBytes = 5;
const jsonOptions = { ignoreUnknownFields: true };

/** Answers a request to one method; throws if the request line or the headers are invalid. */
export type ConnectHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<UniversalServerResponse>;

/**
 * Creates handlers for the Connect and gRPC-Web protocols, by path (`/package.Service/Method`).
 * A body is read completely. One that is too large or cannot be decoded is refused here, because
 * connect-es would answer INTERNAL or quote the body.
 */
export function createConnectHandlers(options: {
  readonly methods: readonly MethodImplSpec[];
  readonly calls: Calls;
  readonly maxRequestBytes: number;
  readonly maxAnswerBytes: number;
}): ReadonlyMap<string, ConnectHandler> {
  const { methods, calls, maxRequestBytes, maxAnswerBytes } = options;
  const router = createConnectRouter({
    grpc: false,
    acceptCompression: [],
    writeMaxBytes: maxAnswerBytes,
    jsonOptions,
  });

  const open = (method: DescMethod, context: HandlerContext) => {
    const requestId = context.values.get(requestIdKey);
    const authorization = context.requestHeader.get("authorization");
    const origin = { method, protocol: context.protocolName, requestId, authorization };
    const call = calls.open(origin, context.timeoutMs());
    context.signal.addEventListener("abort", () => call.abort(gone));
    const admitted = (principal: Principal) => {
      context.values.set(principalKey, principal);
      return { ...context, signal: call.signal, timeoutMs: call.timeoutMs };
    };
    return { call, admitted };
  };
  for (const spec of methods) {
    if (spec.kind === "unary") {
      router.rpc(spec.method, (request, context) => {
        const { call, admitted } = open(spec.method, context);
        return calls.unary(call, asIs(request), (message, principal) =>
          spec.impl(message, admitted(principal)),
        );
      });
    } else if (spec.kind === "server_streaming") {
      router.rpc(spec.method, async function* (request, context) {
        const { call, admitted } = open(spec.method, context);
        yield* calls.stream(call, asIs(request), (message, principal) =>
          spec.impl(message, admitted(principal)),
        );
      });
    }
  }

  const handlers = new Map<string, ConnectHandler>();
  for (const handler of router.handlers) {
    handlers.set(handler.requestPath, (request, response, requestId) => {
      dropEndlessTimeouts(request.headers);
      const values = createContextValues().set(requestIdKey, requestId);
      const universal = universalRequestFromNodeRequest(request, response, undefined, values);
      const origin = { method: handler.method, protocol: "http", requestId };
      async function* body() {
        try {
          yield await readBody(request, handler.method, maxRequestBytes);
        } catch (error) {
          throw calls.failed(origin, error);
        }
      }
      return handler({ ...universal, body: body() });
    });
  }
  return handlers;
}

function asIs(request: Message) {
  return { read: () => request, write: (answer: Message) => answer };
}

/** Reads a body with one message of the method, at most `maxBytes` long; refuses any other body. */
async function readBody(
  request: IncomingMessage,
  { input }: DescMethod,
  maxBytes: number,
): Promise<Uint8Array> {
  const type = (request.headers["content-type"] ?? "").toLowerCase();
  const enveloped = !/^application\/(json|proto)\b/.test(type);
  const bytes = await readAll(request, maxBytes + (enveloped ? envelopeHeaderBytes : 0));
  try {
    const message = enveloped ? openEnvelope(bytes) : bytes;
    if (type.includes("json")) fromJsonString(input, message.toString(), jsonOptions);
    else fromBinary(input, message);
  } catch {
    const text = `the body is not a valid ${input.typeName}`;
    throw refuse(Code.InvalidArgument, ErrorReason.MALFORMED_REQUEST, text);
  }
  return bytes;
}

/** Returns the message in the only envelope of a body: flags, which must be 0, length, message. */
function openEnvelope(bytes: Buffer): Buffer {
  const message = bytes.subarray(envelopeHeaderBytes);
  if (bytes.readUInt8(0) !== 0 || bytes.readUInt32BE(1) !== message.length) {
    throw new Error("not one uncompressed envelope");
  }
  return message;
}

function readAll(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else reject(tooLarge(maxBytes));
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("close", () => request.complete || reject(gone()));
  });
}

const tooLarge = (maxBytes: number) =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.REQUEST_TOO_LARGE,
    `the request is larger than ${maxBytes} bytes`,
  );
