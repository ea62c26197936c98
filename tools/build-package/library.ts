import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The compiled files of imports with names that exist only in this repository. */
type Home = readonly [name: RegExp, place: string];

/**
 * Builds the package in `folder` for publishing, into `target`: JavaScript and types of its API and
 * of the packages of this repository that it uses, and a manifest. Programs in this repository do
 * not use it, because they run the sources. Compiles with the package's tsconfig.build.json, whose
 * `paths` list the other packages. Throws if something does not compile or resolve.
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

/** Returns the code with relative import paths, which Node and bundlers can resolve. */
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
  // Exact versions suit programs; a library must accept the versions of its users.
  const dependencies = Object.fromEntries(
    Object.entries(kept.dependencies).map(([name, version]) => [name, `^${version}`]),
  );
  return { ...kept, exports, dependencies };
}
