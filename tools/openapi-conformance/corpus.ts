/**
 * `npm run openapi:corpus`: runs the plugin over all of Google's public protos, as the compiler
 * would, validates every document with two other parsers, and looks for what generators of clients
 * cannot read. Prints their number and the time; exits with 1 after a crash or a finding.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { compileErrors, validate } from "@readme/openapi-parser";
import { compileGoogleProtos } from "./google-protos.ts";
import { findUnreadable } from "./readable.ts";
import { lint } from "./redocly.ts";

const maxResponseBytes = 1_000_000_000;
const shownFaults = 10;
type Document = {
  readonly paths?: Readonly<Record<string, object>>;
  readonly components?: { readonly schemas?: object };
};

/** Lints all documents at once, as files. */
function lintAll(): readonly string[] {
  const scratch = mkdtempSync(join(tmpdir(), "settle-corpus-"));
  try {
    for (const { name, content } of response.file) writeFileSync(join(scratch, name), content);
    return lint(
      scratch,
      documents.map(({ name }) => name),
      "spec",
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const seconds = (since: number) => ((performance.now() - since) / 1_000).toFixed(1);

const buildStarted = performance.now();
const protoFile = await compileGoogleProtos();
console.log(`${protoFile.length} protos compiled in ${seconds(buildStarted)} s`);

const input = toBinary(
  CodeGeneratorRequestSchema,
  create(CodeGeneratorRequestSchema, {
    parameter: "unsupported=warn",
    fileToGenerate: protoFile.map(({ name }) => name),
    protoFile: [...protoFile],
  }),
);
const runStarted = performance.now();
const run = spawnSync(
  process.execPath,
  [join(import.meta.dirname, "../../packages/protoc-gen-openapi/src/main.ts")],
  {
    input,
    maxBuffer: maxResponseBytes,
  },
);
const runSeconds = seconds(runStarted);
const left = run.stderr.toString().trim().split("\n");
if (run.status !== 0)
  throw new Error(`the plugin exited with ${run.status}: ${left.slice(-5).join("\n")}`);
const response = fromBinary(CodeGeneratorResponseSchema, run.stdout);
if (response.error) throw new Error(response.error);

const documents = response.file.map(({ name, content }) => ({
  name,
  content: JSON.parse(content) as Document,
}));
const count = (of: (document: Document) => number) =>
  documents.reduce((sum, { content }) => sum + of(content), 0);
const operations = count(({ paths = {} }) =>
  Object.values(paths).reduce((sum, item) => sum + Object.keys(item).length, 0),
);
const schemas = count(({ components = {} }) => Object.keys(components.schemas ?? {}).length);
console.log(
  `${documents.length} documents with ${operations} operations and ${schemas} schemas in ${runSeconds} s; ` +
    `${left.length} things left out that Envoy does not do`,
);

// First: the next parser resolves references in place.
const unreadable = documents.flatMap(({ name, content }) =>
  findUnreadable(content).map((fault) => `${name}: ${fault}`),
);
for (const fault of unreadable.slice(0, shownFaults)) console.error(fault);
console.log(`${unreadable.length} schemas that generators of clients cannot read`);

const readStarted = performance.now();
let invalid = 0;
for (const { name, content } of documents) {
  const result = await validate(content as Parameters<typeof validate>[0]);
  if (result.valid) continue;
  invalid += 1;
  if (invalid <= shownFaults) console.error(`${name}: ${compileErrors(result)}`);
}
console.log(
  `@readme/openapi-parser: ${documents.length - invalid} valid, ${invalid} not; ` +
    `read in ${seconds(readStarted)} s`,
);

const lintStarted = performance.now();
const faults = lintAll();
for (const fault of faults.slice(0, shownFaults)) console.error(fault);
console.log(`@redocly/cli: ${faults.length} faults; read in ${seconds(lintStarted)} s`);
process.exitCode = invalid + unreadable.length + faults.length === 0 ? 0 : 1;
