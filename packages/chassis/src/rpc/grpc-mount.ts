import { type Message, toBinary } from "@bufbuild/protobuf";
import type { ConnectError, MethodImplSpec } from "@connectrpc/connect";
import {
  Metadata,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
} from "@grpc/grpc-js";
import { type Principal, principalKey } from "../identity/principal.ts";
import { type Call, gone } from "./active-call.ts";
import { GrpcContext } from "./grpc-context.ts";
import { bufferOf, grpcStatusOf } from "./grpc-status.ts";
import { requestIdOf } from "./request-headers.ts";
import { decodeRequest } from "./request-message.ts";
import type { Calls } from "./rpc-call.ts";
import type { UntakenAnswer } from "./untaken-answers.ts";

type GrpcUnary = ServerUnaryCall<Buffer, Buffer>;
type GrpcStream = ServerWritableStream<Buffer, Buffer>;

/**
 * Serves Connect handlers on a grpc-js server, each at `/package.Service/Method`. Requests are
 * decoded here and not by grpc-js, which would answer INTERNAL if they cannot be decoded.
 */
export function mountGrpc(options: {
  readonly server: Server;
  /** Returns the answer of the call with this metadata. */
  readonly answerOf: (metadata: Metadata) => UntakenAnswer | undefined;
  readonly methods: readonly MethodImplSpec[];
  readonly calls: Calls;
  readonly newId: () => string;
}): void {
  const { server, answerOf, methods, calls, newId } = options;

  const begin = (grpcCall: GrpcUnary | GrpcStream, { method }: MethodImplSpec) => {
    const deadline = Number(grpcCall.getDeadline());
    const requestId = requestIdOf(grpcCall.metadata.get("x-request-id")[0], newId);
    const call = calls.open(
      { method, protocol: "grpc", requestId, authorization: authorizationIn(grpcCall.metadata) },
      // By the machine's clock, which grpc-js has set the deadline with.
      Number.isFinite(deadline) ? deadline - Date.now() : undefined,
    );
    if (grpcCall.cancelled) call.abort(gone);
    grpcCall.on("cancelled", () => call.abort(gone));
    const answer = answerOf(grpcCall.metadata);
    const context = new GrpcContext(call, grpcCall.metadata);
    const codec = {
      read: () => decodeRequest(method.input, { bytes: grpcCall.request, isJson: false }),
      write: (answer: Message) => bufferOf(toBinary(method.output, answer)),
    };
    const admitted = (principal: Principal) => {
      context.values.set(principalKey, principal);
      if (answer) answer.userId = principal.userId;
      return context;
    };
    return { call, codec, context, admitted };
  };

  for (const spec of methods) {
    const path = `/${spec.method.parent.typeName}/${spec.method.name}`;
    if (spec.kind === "unary") {
      const serve = async (grpcCall: GrpcUnary, answer: UnaryAnswer) => {
        const { call, codec, context, admitted } = begin(grpcCall, spec);
        try {
          const write = (message: Message) => {
            const bytes = codec.write(message);
            grpcCall.sendMetadata(context.headers());
            return bytes;
          };
          const handle = (request: Message, principal: Principal) =>
            spec.impl(request, admitted(principal));
          const bytes = await calls.unary(call, { ...codec, write }, handle);
          answer(null, bytes, context.trailers());
        } catch (error) {
          answer(statusOf(error as ConnectError, context));
        }
      };
      server.register(path, serve, asIs, asIs, "unary");
    } else if (spec.kind === "server_streaming") {
      const serve = async (grpcCall: GrpcStream) => {
        const { call, codec, context, admitted } = begin(grpcCall, spec);
        const handle = (request: Message, principal: Principal) =>
          spec.impl(request, admitted(principal));
        const answers = calls.stream(call, codec, handle);
        try {
          await send(grpcCall, call, answers, context);
        } catch (error) {
          if (!grpcCall.destroyed) grpcCall.emit("error", statusOf(error as ConnectError, context));
        }
      };
      server.register(path, serve, asIs, asIs, "serverStream");
    } else {
      throw new Error(`${path}: client streaming is not supported`);
    }
  }
}

type UnaryAnswer = (
  error: Partial<StatusObject> | null,
  bytes?: Buffer,
  trailers?: Metadata,
) => void;

const asIs = (bytes: Buffer) => bytes;

function authorizationIn(metadata: Metadata): string | undefined {
  const [value] = metadata.get("authorization");
  return typeof value === "string" ? value : undefined;
}

async function send(
  grpcCall: GrpcStream,
  call: Call,
  answers: AsyncGenerator<Buffer>,
  context: GrpcContext,
): Promise<void> {
  let started = false;
  for await (const bytes of answers) {
    if (!started) grpcCall.sendMetadata(context.headers());
    started = true;
    const taken = new Promise((resolve) => grpcCall.write(bytes, resolve));
    // If the call ends first, the next answer is the error with the reason.
    await call.orAbort(taken).catch(() => {});
  }
  if (!started) grpcCall.sendMetadata(context.headers());
  grpcCall.end(context.trailers());
}

function statusOf(error: ConnectError, context: GrpcContext): Partial<StatusObject> {
  const metadata = context.headers();
  metadata.merge(context.trailers() ?? new Metadata());
  return grpcStatusOf(error, metadata);
}
