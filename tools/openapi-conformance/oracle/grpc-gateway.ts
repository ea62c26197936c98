import { spawnSync } from "node:child_process";
import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FileDescriptorProtoSchema,
  FileOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { findGoProgram } from "../../local/fetch/go-program.ts";
import { type FactsByOperation, readFacts } from "./facts.ts";
import type { Protos } from "./protos.ts";

const oracle = {
  package: "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv3",
  version: "v2.30.0",
};
const maxResponseBytes = 1_000_000_000;

/**
 * Runs grpc-gateway's protoc-gen-openapiv3 on the protos; it is built with Go the first time. The
 * methods in `left` (`<package>.<service>.<method>`) are left out.
 */
export async function askGrpcGateway(
  protos: Protos,
  left: ReadonlySet<string>,
): Promise<FactsByOperation> {
  const protoFile = protos.files.map((original, index) => {
    const file = clone(FileDescriptorProtoSchema, original);
    // Go plugins require the package of the generated code.
    file.options ??= create(FileOptionsSchema);
    file.options.goPackage = `oracle/p${index};p`;
    for (const service of file.service) {
      service.method = service.method.filter(
        ({ name }) => !left.has(`${file.package}.${service.name}.${name}`),
      );
    }
    return file;
  });
  const request = create(CodeGeneratorRequestSchema, {
    protoFile,
    fileToGenerate: [...protos.chosen],
  });
  const run = spawnSync(await findGoProgram(oracle), {
    input: toBinary(CodeGeneratorRequestSchema, request),
    maxBuffer: maxResponseBytes,
  });
  const response = fromBinary(CodeGeneratorResponseSchema, run.stdout);
  if (run.status !== 0 || response.error) {
    throw new Error(`protoc-gen-openapiv3 failed: ${response.error}${run.stderr}`);
  }
  const packages = new Map(protos.files.map((file) => [file.name, file.package]));
  return readFacts(
    response.file.map(({ name, content }) => {
      const proto = name.replace(/\.openapi\.json$/, ".proto");
      return { package: packages.get(proto) ?? "", content };
    }),
  );
}
