import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { Plugin } from "@settle/proto-schemas/plugin/plugin";
import { fetchThirdPartyProtos } from "../../../tools/generate/third-party-protos.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Creates the plugin under test. */
export type CreatePlugin = (options: { readonly warn: (line: string) => void }) => Plugin;

/**
 * Compiles the protos of all cases, which are folders in `testdata` (relative to the root of the
 * repository). The file names start with the name of the case.
 */
export async function compileCases(testdata: string): Promise<readonly FileDescriptorProto[]> {
  await fetchThirdPartyProtos(root);
  const scratch = mkdtempSync(join(tmpdir(), "settle-protos-"));
  try {
    const image = join(scratch, "image.binpb");
    const modules = [
      testdata,
      ...globSync(".cache/protos/{googleapis,googleapis-more,protovalidate}", { cwd: root }),
    ].map((path) => ({ path }));
    const config = ["--config", JSON.stringify({ version: "v2", modules })];
    const to = ["--as-file-descriptor-set", "--output", image];
    execFileSync("buf", ["build", ".", ...config, ...to], { cwd: root, stdio: "pipe" });
    return fromBinary(FileDescriptorSetSchema, readFileSync(image)).file;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The output of the plugin for a case: files by name, the error and warnings. */
export type Outcome = {
  readonly files: Readonly<Record<string, string>>;
  readonly error: string;
  readonly warnings: readonly string[];
};

/** Runs a plugin on the protos in `folder`, as a compiler would. */
export async function runPlugin(
  createPlugin: CreatePlugin,
  protoFile: readonly FileDescriptorProto[],
  folder: string,
  parameter: string,
): Promise<Outcome> {
  const warnings: string[] = [];
  const plugin = createPlugin({ warn: (line) => warnings.push(line) });
  const { file, error } = await plugin.run(
    create(CodeGeneratorRequestSchema, {
      parameter,
      protoFile: [...protoFile],
      fileToGenerate: protoFile
        .map(({ name }) => name)
        .filter((name) => name.startsWith(`${folder}/`)),
    }),
  );
  const files = Object.fromEntries(file.map(({ name, content }) => [name, content]));
  return { files, error, warnings };
}
