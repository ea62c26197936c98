import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { compileCases } from "../../../packages/proto-schemas/test/run-plugin.ts";
import { compileGoogleProtos } from "../google-protos.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Compiled protos, and the names of those to generate documents from. */
export type Protos = {
  readonly files: readonly FileDescriptorProto[];
  readonly chosen: readonly string[];
};

/**
 * The sets that are compared, by name: our contract, the cases of the plugin's tests, and all of
 * Google's public protos, which are downloaded with npm the first time.
 */
export const protoSets: Readonly<Record<string, () => Promise<Protos>>> = {
  async settle() {
    const files = readSet(join(root, "gen/envoy/descriptors.binpb"));
    return choose(files, (name) => /^(orders|payments)\//.test(name));
  },
  async cases() {
    const files = await compileCases("packages/protoc-gen-openapi/testdata");
    // The other generator does not read the options for errors, and refusals are specific to ours.
    return choose(files, (name) => !/^(buf|errors|google|refusals)\//.test(name));
  },
  async google() {
    return choose(await compileGoogleProtos("--exclude-source-info"), () => true);
  },
};

function readSet(path: string): readonly FileDescriptorProto[] {
  return fromBinary(FileDescriptorSetSchema, readFileSync(path)).file;
}

/** Selects the files with a matching name that have a method with an HTTP rule. */
function choose(
  files: readonly FileDescriptorProto[],
  isWanted: (name: string) => boolean,
): Protos {
  const chosen = files
    .filter(({ name, service }) => isWanted(name) && service.some(hasRule))
    .map(({ name }) => name);
  return { files, chosen };
}

/** The field number of google.api.http among unknown options. */
const httpRuleNumber = 72295728;

function hasRule({ method }: FileDescriptorProto["service"][number]): boolean {
  return method.some(({ options }) => options?.$unknown?.some(({ no }) => no === httpRuleNumber));
}
