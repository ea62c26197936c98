/**
 * `npm run openapi:oracle`: compares the facts of our plugin about each operation with the stored
 * facts of grpc-gateway's protoc-gen-openapiv3, for our protos, those of the tests and all of
 * Google's. Each difference must have one of the three reasons in `reasons.ts`; exits with 1
 * otherwise. `-- --refresh` runs protoc-gen-openapiv3 again, built with Go (see
 * tools/local/fetch/go-program.ts), and stores its facts. Names of sets select some of them.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { compareFacts, type Difference } from "./compare.ts";
import { askGrpcGateway } from "./grpc-gateway.ts";
import { askOurs, findStreamsWithPaths, readContract } from "./ours.ts";
import { protoSets } from "./protos.ts";
import { reasons } from "./reasons.ts";
import { loadFacts, storeFacts } from "./stored.ts";

/** How many operations are printed per kind of difference. */
const shownExamples = 2;

const args = process.argv.slice(2);
const isRefresh = args.includes("--refresh");
const wanted = args.filter((arg) => arg !== "--refresh");
for (const name of wanted) {
  if (!(name in protoSets)) throw new Error(`the sets are ${Object.keys(protoSets).join(", ")}`);
}

let unexplained = 0;
for (const [name, read] of Object.entries(protoSets)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const protos = await read();
  const contract = readContract(protos);
  if (isRefresh) {
    mkdirSync(join(import.meta.dirname, "stored"), { recursive: true });
    const answers = await askGrpcGateway(protos, findStreamsWithPaths(contract));
    console.log(storeFacts(name, answers));
  }
  const ours = await askOurs(protos);
  report(name, protos.chosen.length, ours.size, compareFacts(ours, loadFacts(name), contract));
}
process.exitCode = unexplained === 0 ? 0 : 1;

function report(
  set: string,
  files: number,
  operations: number,
  differences: readonly Difference[],
): void {
  console.log(
    `\n${set}: ${files} files, ${operations} operations, ${differences.length} differences`,
  );
  for (const [reason, words] of Object.entries(reasons)) {
    const of = differences.filter(({ known }) => known?.reason === reason);
    console.log(`  ${words}: ${of.length}`);
    for (const [known, group] of Map.groupBy(of, (difference) => difference.known)) {
      console.log(`    ${group.length} ${known?.what} (${known?.evidence})`);
      show(group);
    }
  }
  const without = differences.filter(({ known }) => known === undefined);
  unexplained += without.length;
  console.log(`  without a reason: ${without.length}`);
  show(without);
}

function show(differences: readonly Difference[]): void {
  for (const { operation, what } of differences.slice(0, shownExamples)) {
    console.log(`      ${operation}: ${what}`);
  }
}
