/** `npm run build -w web [-- <folder>]`: writes the page that is served to the folder, or `web/dist`. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "vite";

const folder = import.meta.dirname;

/**
 * Builds the page into `outDir`, each file also compressed (`.gz`, `.br`), which its server sends to
 * browsers that take it. Throws if it does not build.
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
  // React has another build for development, which an environment that says so would bring.
  process.env.NODE_ENV = "production";
  await buildPage(process.argv[2]);
}
