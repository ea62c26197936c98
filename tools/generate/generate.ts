import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchThirdPartyProtos } from "./third-party-protos.ts";

/**
 * Writes everything that is derived from proto/ into `target`/gen: the TypeScript code, the
 * OpenAPI and AsyncAPI documents, and the descriptor set by which Envoy transcodes and the services answer
 * reflection. Needs the protos of others in place.
 */
export function generate(root: string, target: string): void {
  const buf = (...args: string[]) => execFileSync("buf", args, { cwd: root, stdio: "inherit" });
  mkdirSync(join(target, "gen/envoy"), { recursive: true });
  buf("generate", "--output", target);
  const descriptors = join(target, "gen/envoy/descriptors.binpb");
  buf("build", "--as-file-descriptor-set", "--exclude-source-info", "--output", descriptors);
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  await fetchThirdPartyProtos(root);
  generate(root, root);
  console.log("gen/ is current");
}
