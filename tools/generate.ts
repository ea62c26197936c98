import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { fetchThirdPartyProtos } from "./third-party-protos.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Writes everything in gen/ that is derived from proto/: the TypeScript code and the descriptor
 * set by which Envoy transcodes and the services answer reflection.
 */
await fetchThirdPartyProtos(root);
execFileSync("buf", ["generate"], { cwd: root, stdio: "inherit" });
execFileSync(
  "buf",
  [
    "build",
    "--as-file-descriptor-set",
    "--exclude-source-info",
    "-o",
    "gen/envoy/descriptors.binpb",
  ],
  { cwd: root, stdio: "inherit" },
);
console.log("gen/ is current");
