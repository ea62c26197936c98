import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { handleBidiStreamingCall, Server, ServerDuplexStream } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { inDomain, refuse } from "../contract/errors.ts";
import { late } from "./active-call.ts";
import { grpcStatusOf } from "./grpc-status.ts";

type Stream = ServerDuplexStream<unknown, unknown>;
type Serve = handleBidiStreamingCall<unknown, unknown>;

/**
 * Serves gRPC reflection, v1 and v1alpha, for everything in `descriptors`, the bytes of a
 * `FileDescriptorSet`. Throws if the bytes are invalid.
 *
 * It needs no token, so its streams are few and short: a stream ends with DEADLINE_EXCEEDED after
 * `maxMs`, and a new one beyond `maxStreams` ends the oldest with RESOURCE_EXHAUSTED. Refusing the
 * new one would let whoever holds that many shut out everybody else.
 */
export function mountReflection(options: {
  readonly server: Server;
  readonly descriptors: Uint8Array;
  readonly maxStreams: number;
  readonly maxMs: number;
  readonly domain: string;
}): void {
  const { server, descriptors, maxStreams, maxMs, domain } = options;
  const files = fromBinary(FileDescriptorSetSchema, descriptors).file;
  const definition = {
    // Any definition may carry the files; the service reads nothing else of it.
    format: "Protocol Buffer 3 EnumDescriptorProto" as const,
    type: {},
    fileDescriptorProtos: files.map((file) =>
      Buffer.from(toBinary(FileDescriptorProtoSchema, file)),
    ),
  };
  const open = new Set<Stream>();
  const end = (stream: Stream, error: ConnectError) => {
    open.delete(stream);
    stream.emit("error", grpcStatusOf(inDomain(error, domain)));
  };
  const bounded =
    (serve: Serve): Serve =>
    (stream) => {
      const [oldest] = open;
      if (oldest && open.size >= maxStreams) end(oldest, tooMany());
      open.add(stream);
      const timer = setTimeout(() => end(stream, late()), maxMs).unref();
      stream.once("cancelled", () => {
        clearTimeout(timer);
        open.delete(stream);
      });
      serve(stream);
      stream.on("data", () => {
        if (!stream.writableNeedDrain) return;
        stream.pause();
        stream.once("drain", () => stream.resume());
      });
    };
  new ReflectionService({ files: definition }).addToServer({
    addService(service, { ServerReflectionInfo, ...others }) {
      const serve = bounded(ServerReflectionInfo as Serve);
      server.addService(service, { ...others, ServerReflectionInfo: serve });
    },
  });
}

const tooMany = () =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.TOO_MANY_STREAMS,
    "too many streams of reflection are open; try again later",
  );
