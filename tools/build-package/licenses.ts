import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Licences that permit bundling if their text is included. */
const known: ReadonlySet<string> = new Set([
  "MIT",
  "ISC",
  "Apache-2.0",
  "(Apache-2.0 AND BSD-3-Clause)",
]);
const texts = fileURLToPath(new URL("./licenses", import.meta.url));

/**
 * Returns the licence texts of all third-party packages that contain the files (relative to
 * `folder`). Throws if the licence of a package is not in `known`, or its text is missing.
 */
export function readLicenses(folder: string, files: readonly string[]): string {
  const packages = new Set(
    files.flatMap((file) => {
      const path = resolve(folder, file);
      const [, place = ""] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
      return place === "" ? [] : [place];
    }),
  );
  const parts = [...packages].sort().map((place) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(place, "package.json"), "utf8"),
    );
    if (!known.has(license))
      throw new Error(`${name}: the licence ${license} is not in tools/build-package/licenses.ts`);
    return `${name} ${version}, ${license}\n\n${textOf(place, name)}\n`;
  });
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

/** Returns the licence text of a package, or else the one in `licenses/`. */
function textOf(place: string, name: string): string {
  const [own] = globSync("LICEN[CS]E*", { cwd: place });
  const file = own
    ? join(place, own)
    : join(texts, `${name.replace("@", "").replace("/", "-")}.txt`);
  if (!existsSync(file)) throw new Error(`${name} has no licence file; add its text as ${file}`);
  return readFileSync(file, "utf8").trim();
}
