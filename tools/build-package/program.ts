import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readLicenses } from "./licenses.ts";

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** The oldest version of Node that published programs support. */
const oldestNode = "node20";

/**
 * Bundles the program of the package in `folder` with its dependencies into `target`: `main.js`,
 * chunks that it loads on demand, and the licences of the dependencies. The package needs no
 * dependencies at installation, and starts without searching `node_modules`. Throws if an import
 * does not resolve or a licence is not known.
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
    // Smaller files start faster. Names are kept for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    // All licences are in THIRD_PARTY_LICENSES.txt.
    legalComments: "none",
    // The build of yaml for Node is CommonJS, which cannot be tree-shaken.
    alias: { yaml: join(modules, "yaml/browser/dist/index.js") },
    metafile: true,
    logLevel: "warning",
  });
  chmodSync(join(target, "main.js"), 0o755);
  const licenses = readLicenses(folder, Object.keys(metafile.inputs));
  writeFileSync(join(target, "THIRD_PARTY_LICENSES.txt"), licenses);
}
