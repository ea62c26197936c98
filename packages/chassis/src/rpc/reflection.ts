import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";

/**
 * Serves gRPC reflection, v1 and v1alpha, for everything in `descriptors`, the bytes of a
 * `FileDescriptorSet`. Throws if the bytes are invalid.
 */
export function mountReflection(server: Server, descriptors: Uint8Array): void {
  const files = fromBinary(FileDescriptorSetSchema, descriptors).file;
  const definition = {
    // Any definition may carry the files; the service reads nothing else of it.
    format: "Protocol Buffer 3 EnumDescriptorProto" as const,
    type: {},
    fileDescriptorProtos: files.map((file) =>
      Buffer.from(toBinary(FileDescriptorProtoSchema, file)),
    ),
  };
  new ReflectionService({ files: definition }).addToServer(server);
}
