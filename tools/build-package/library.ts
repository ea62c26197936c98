import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where the compiler puts what the sources import by a name that only this repository knows. */
type Home = readonly [name: RegExp, place: string];

/**
 * Writes the package that can be published into `target`: JavaScript and types of the API in
 * `folder` and of all other packages of this repository in it, with a manifest of its own. Programs
 * in this repository need none of it: they run the sources. Compiles by the package's
 * tsconfig.build.json, whose `paths` name the other packages. Throws if something does not compile
 * or resolve.
 */
export function buildLibrary(folder: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  const project = join(folder, "tsconfig.build.json");
  execFileSync("tsc", ["--project", project, "--outDir", target], { stdio: "inherit" });
  const homes = readHomes(folder, project);
  for (const file of globSync("**/*.{js,d.ts}", { cwd: target })) {
    const path = join(target, file);
    writeFileSync(path, resolved(readFileSync(path, "utf8"), homes, target, path));
  }
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest(folder), null, 2)}\n`);
  copyFileSync(join(folder, "README.md"), join(target, "README.md"));
  copyFileSync(join(root, "LICENSE"), join(target, "LICENSE"));
}

function readHomes(folder: string, project: string): readonly Home[] {
  const { compilerOptions } = JSON.parse(readFileSync(project, "utf8"));
  const paths: Readonly<Record<string, readonly [string]>> = compilerOptions.paths;
  return Object.entries(paths).map(([name, [place]]) => [
    new RegExp(`^${name.replace("*", "(.+)")}$`),
    relative(root, join(folder, place)).replace("*", "$1").replace(/\.ts$/, ".js"),
  ]);
}

/** The code with relative paths to what is in the package, as Node and bundlers want them. */
function resolved(code: string, homes: readonly Home[], target: string, path: string): string {
  return code.replaceAll(/(?<=\bfrom "|\bimport\(")[^"]+(?=")/g, (specifier) => {
    const home = homes.find(([name]) => name.test(specifier));
    if (!home) return specifier.replace(/^(\..*)\.ts$/, "$1.js");
    const [name, place] = home;
    const file = join(target, specifier.replace(name, place));
    if (!existsSync(file)) throw new Error(`${path} imports ${specifier}, which was not compiled`);
    const way = relative(dirname(path), file);
    return way.startsWith(".") ? way : `./${way}`;
  });
}

function manifest(folder: string): object {
  const {
    private: _,
    scripts: __,
    devDependencies: ___,
    exports: entries,
    ...kept
  } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const compiled = (source: string) =>
    join(relative(root, folder), source.replace(/\.ts$/, "")).replace(/^/, "./");
  const exports = Object.fromEntries(
    Object.entries(entries as Readonly<Record<string, string>>).map(([entry, source]) => [
      entry,
      { types: `${compiled(source)}.d.ts`, default: `${compiled(source)}.js` },
    ]),
  );
  // Exact versions are for those who run the program; a library has to share with its users.
  const dependencies = Object.fromEntries(
    Object.entries(kept.dependencies).map(([name, version]) => [name, `^${version}`]),
  );
  return { ...kept, exports, dependencies };
}
