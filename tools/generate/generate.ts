import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { configurationPath, configurationReference } from "./configuration.ts";
import { writeCurrencies } from "./currencies.ts";
import { metricsPath, metricsReference } from "./metrics.ts";
import { writeRestGuard } from "./rest-guard.ts";
import { fetchThirdPartyProtos } from "./third-party-protos.ts";

/**
 * Generates everything in `target`/gen from proto/: the TypeScript code, the currencies, the OpenAPI
 * and AsyncAPI documents, the descriptor set for Envoy's transcoder and the services' reflection,
 * and the REST guard of the edge; and from edge/, its connection cap. Needs the third-party protos.
 */
export function generate(root: string, target: string): void {
  const buf = (...args: string[]) => execFileSync("buf", args, { cwd: root, stdio: "inherit" });
  mkdirSync(join(target, "gen/envoy"), { recursive: true });
  buf("generate", "--output", target);
  writeCurrencies(root, target);
  const descriptors = join(target, "gen/envoy/descriptors.binpb");
  buf("build", "--as-file-descriptor-set", "--exclude-source-info", "--output", descriptors);
  const guard = writeRestGuard(readFileSync(descriptors), root);
  writeFileSync(join(target, "gen/envoy/rest-guard.lua"), guard);
  const cap = join(target, "gen/envoy/connection-cap.wasm");
  execFileSync("wat2wasm", [join(root, "edge/connection-cap.wat"), "--output", cap]);
}

/** Writes the references of configuration and metrics into `target`. */
export async function writeReferences(root: string, target: string): Promise<void> {
  const references = {
    [configurationPath]: await configurationReference(root),
    [metricsPath]: await metricsReference(root),
  };
  for (const [file, text] of Object.entries(references)) {
    const path = join(target, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  await fetchThirdPartyProtos(root);
  generate(root, root);
  await writeReferences(root, root);
  console.log(`gen/, ${configurationPath} and ${metricsPath} are up to date`);
}
