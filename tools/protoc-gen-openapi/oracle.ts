/**
 * `npm run openapi:oracle`: runs grpc-gateway's generator over our protos and those of the tests, and
 * compares what both say of each operation. Every difference is put down to one of the reasons
 * below; ends with 1 after one that has none. Needs Go, and the network the first time.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FileOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { compileCases } from "../proto-schemas/test/run-plugin.ts";
import { compareFacts } from "./oracle-differences.ts";
import { readFacts } from "./oracle-facts.ts";
import { createPlugin } from "./plugin.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const version = "v2.30.0";
const maxResponseBytes = 100_000_000;

/** Builds the other generator by the pinned version, once. */
function buildOracle(): string {
  const folder = join(root, ".cache/protoc-gen-openapiv3", version);
  const program = join(folder, "protoc-gen-openapiv3");
  if (!existsSync(program)) {
    const module = `github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv3@${version}`;
    execFileSync("go", ["install", module], {
      env: { ...process.env, GOBIN: folder },
      stdio: "inherit",
    });
  }
  return program;
}

function compileOurs(): readonly FileDescriptorProto[] {
  const scratch = mkdtempSync(join(tmpdir(), "settle-oracle-"));
  try {
    const image = join(scratch, "image.binpb");
    const to = ["--as-file-descriptor-set", "--output", image];
    execFileSync("buf", ["build", ".", ...to], { cwd: root, stdio: "inherit" });
    return fromBinary(FileDescriptorSetSchema, readFileSync(image)).file;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Returns what both make of the files that begin with `prefix`. */
function runBoth(
  protoFile: readonly FileDescriptorProto[],
  prefix: string,
  oracle: string,
): { readonly ours: readonly string[]; readonly theirs: readonly string[] } {
  const named = protoFile.map((original, index) => {
    const file = clone(FileDescriptorProtoSchema, original);
    // Go's plugins need to know where their code would go.
    file.options ??= create(FileOptionsSchema);
    file.options.goPackage = `oracle/p${index};p`;
    return file;
  });
  const request = create(CodeGeneratorRequestSchema, {
    protoFile: named,
    fileToGenerate: named.map(({ name }) => name).filter((name) => name.startsWith(prefix)),
  });
  const run = spawnSync(oracle, {
    input: toBinary(CodeGeneratorRequestSchema, request),
    maxBuffer: maxResponseBytes,
  });
  const theirs = fromBinary(CodeGeneratorResponseSchema, run.stdout);
  if (run.status !== 0 || theirs.error) {
    throw new Error(`the oracle failed: ${theirs.error}${run.stderr}`);
  }
  request.parameter = "unsupported=warn,streams=ndjson";
  const ours = createPlugin({ warn: () => {} }).run(request);
  return {
    ours: ours.file.map(({ content }) => content),
    theirs: theirs.file.map(({ content }) => content),
  };
}

const oracle = buildOracle();
const cases = await compileCases("tools/protoc-gen-openapi/testdata");
const ours = compileOurs();
/** Not those of errors and refusals: the other generator reads no such options and refuses less. */
const sets: readonly (readonly [string, readonly FileDescriptorProto[]])[] = [
  ["orders/", ours],
  ["payments/", ours],
  ...[
    "behavior",
    "bodies",
    "comments",
    "merged",
    "paths",
    "queries",
    "rules",
    "streams",
    "types",
  ].map((folder) => [`${folder}/`, cases] as const),
];
let operations = 0;
const found = sets.flatMap(([prefix, protos]) => {
  const { ours, theirs } = runBoth(protos, prefix, oracle);
  const [a, b] = [readFacts(ours), readFacts(theirs)];
  operations += a.size;
  return compareFacts(a, b).map((difference) => ({ ...difference, prefix }));
});
for (const reason of new Set(found.map((difference) => difference.reason))) {
  const group = found.filter((difference) => difference.reason === reason);
  console.log(`\n${reason ?? "nobody knows why"} (${group.length}):`);
  for (const { prefix, operation, what } of group) console.log(`  ${prefix} ${operation} ${what}`);
}
const unexplained = found.filter(({ reason }) => reason === undefined).length;
console.log(
  `\n${operations} operations, ${found.length} differences, ${unexplained} without a reason`,
);
process.exitCode = unexplained === 0 ? 0 : 1;
