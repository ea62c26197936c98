import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const root = join(folder, "../..");

/** Where the compiler puts what the sources import by a name that only this repository knows. */
const homes: readonly (readonly [RegExp, string])[] = [
  [/^@settle\/gen-sdk\/(.+)$/, "gen/sdk/src/$1.js"],
  [/^@settle\/gen\/(.+)$/, "gen/es/$1.js"],
  [/^@settle\/sdk-runtime$/, "packages/sdk-runtime/src/index.js"],
];

/**
 * Writes the package that can be published into `target`: JavaScript and types of the SDK and of the
 * generated code in it, with a manifest of its own. Programs in this repository need none of it:
 * they run the sources. Throws if something does not compile or resolve.
 */
export function buildSdk(target: string): void {
  rmSync(target, { recursive: true, force: true });
  const project = join(folder, "tsconfig.build.json");
  execFileSync("tsc", ["--project", project, "--outDir", target], { stdio: "inherit" });
  for (const file of globSync("**/*.{js,d.ts}", { cwd: target })) {
    const path = join(target, file);
    writeFileSync(path, resolved(readFileSync(path, "utf8"), target, path));
  }
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  copyFileSync(join(folder, "README.md"), join(target, "README.md"));
  copyFileSync(join(root, "LICENSE"), join(target, "LICENSE"));
}

/** The code with relative paths to what is in the package, as Node and bundlers want them. */
function resolved(code: string, target: string, path: string): string {
  return code.replaceAll(/(?<=\bfrom "|\bimport\(")[^"]+(?=")/g, (specifier) => {
    const home = homes.find(([pattern]) => pattern.test(specifier));
    if (!home) return specifier.replace(/^(\..*)\.ts$/, "$1.js");
    const [pattern, place] = home;
    const file = join(target, specifier.replace(pattern, place));
    if (!existsSync(file)) throw new Error(`${path} imports ${specifier}, which was not compiled`);
    const way = relative(dirname(path), file);
    return way.startsWith(".") ? way : `./${way}`;
  });
}

function manifest(): object {
  const {
    private: _,
    scripts: __,
    devDependencies: ___,
    ...kept
  } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entry = (name: string) => ({
    types: `./packages/sdk/src/${name}.d.ts`,
    default: `./packages/sdk/src/${name}.js`,
  });
  // Exact versions are for those who run the program; a library has to share with its users.
  const dependencies = Object.fromEntries(
    Object.entries(kept.dependencies).map(([name, version]) => [name, `^${version}`]),
  );
  return { ...kept, exports: { ".": entry("index"), "./node": entry("node") }, dependencies };
}

if (import.meta.main) {
  buildSdk(join(folder, "dist"));
  console.log("packages/sdk/dist is ready to publish");
}
