import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** What may be bundled, on the condition that its text goes along. */
const known: ReadonlySet<string> = new Set([
  "MIT",
  "ISC",
  "Apache-2.0",
  "(Apache-2.0 AND BSD-3-Clause)",
]);
const texts = fileURLToPath(new URL("./licenses", import.meta.url));

/**
 * Returns the licences of all packages of others that the files, as `folder` sees them, are of.
 * Throws for a package whose licence is none of those we know, or which has no text.
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
    if (!known.has(license)) throw new Error(`${name} may not be bundled as it is: ${license}`);
    return `${name} ${version}, ${license}\n\n${textOf(place, name)}\n`;
  });
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

/** The text that a package brings, or the one that is kept here for it. */
function textOf(place: string, name: string): string {
  const [own] = globSync("LICEN[CS]E*", { cwd: place });
  const file = own
    ? join(place, own)
    : join(texts, `${name.replace("@", "").replace("/", "-")}.txt`);
  if (!existsSync(file)) throw new Error(`${name} has no text of its licence`);
  return readFileSync(file, "utf8").trim();
}
