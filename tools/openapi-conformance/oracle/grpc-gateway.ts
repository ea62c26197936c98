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

/** Returns the path of grpc-gateway's protoc-gen-openapiv3; it is built with Go the first time. */
export function findOracle(): Promise<string> {
  return findGoProgram(oracle);
}

/**
 * Returns the request that a compiler would send to a Go plugin for these protos. The methods in
 * `left` (`<package>.<service>.<method>`) are left out.
 */
export function requestForGo(
  { files, chosen }: Protos,
  left: ReadonlySet<string> = new Set(),
): Uint8Array {
  const protoFile = files.map((original, index) => {
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
  const request = create(CodeGeneratorRequestSchema, { protoFile, fileToGenerate: [...chosen] });
  return toBinary(CodeGeneratorRequestSchema, request);
}

/**
 * Runs grpc-gateway's protoc-gen-openapiv3 on the protos, without the methods in `left`; see
 * {@link requestForGo}.
 */
export async function askGrpcGateway(
  protos: Protos,
  left: ReadonlySet<string>,
): Promise<FactsByOperation> {
  const run = spawnSync(await findOracle(), {
    input: requestForGo(protos, left),
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
