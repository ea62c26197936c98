import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readLicenses } from "./licenses.ts";

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** The oldest Node that runs what is published. */
const oldestNode = "node20";

/**
 * Bundles the program of the package in `folder`, with all it imports, into `target`: `main.js`, parts that
 * it loads when it needs them, and the licences of what is inside. Nothing is left for the user's
 * npm to install, and no file of the tree has to be found and read at each start. Throws if something
 * does not resolve or has a licence that we do not know.
 */
export async function buildProgram(folder: string, target: string): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: ["src/main.ts"],
    outdir: target,
    bundle: true,
    splitting: true,
    chunkNames: "[name]-[hash]",
    format: "esm",
    platform: "node",
    target: oldestNode,
    // Less to read at each start. Names stay, for traces.
    minifySyntax: true,
    minifyWhitespace: true,
    // All of them are in the file of licences.
    legalComments: "none",
    // Its build for Node is CommonJS, of which nothing can be left out.
    alias: { yaml: join(modules, "yaml/browser/dist/index.js") },
    metafile: true,
    logLevel: "warning",
  });
  chmodSync(join(target, "main.js"), 0o755);
  const licenses = readLicenses(folder, Object.keys(metafile.inputs));
  writeFileSync(join(target, "THIRD_PARTY_LICENSES.txt"), licenses);
}
