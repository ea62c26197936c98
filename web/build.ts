/** `npm run build -w web [-- <folder>]`: builds the page into the folder, by default `web/dist`. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "vite";

const folder = import.meta.dirname;

/**
 * Builds the page into `outDir`, with compressed variants of each file (`.gz`, `.br`) for browsers
 * that accept them. Throws if the build fails.
 */
export async function buildPage(outDir = join(folder, "dist")): Promise<void> {
  await build({
    configFile: join(folder, "vite.config.ts"),
    logLevel: "warn",
    build: { outDir, emptyOutDir: true },
  });
  for (const file of globSync("**/*.{html,js,css,svg}", { cwd: outDir })) {
    const path = join(outDir, file);
    const content = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
    writeFileSync(`${path}.br`, brotliCompressSync(content));
  }
}

if (import.meta.main) {
  // React has a development build, which a NODE_ENV of the environment could select.
  process.env.NODE_ENV = "production";
  await buildPage(process.argv[2]);
}
