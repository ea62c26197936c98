/**
 * `npm run build -w packages/<name>`: builds the package for publishing, into its dist/. Packages
 * with a program (`bin`) are bundled; packages with an API are compiled.
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { buildLibrary } from "./library.ts";
import { buildProgram } from "./program.ts";

const folder = process.cwd();
const { name, bin } = JSON.parse(readFileSync("package.json", "utf8"));
const target = `${folder}/dist`;
if (bin === undefined) buildLibrary(folder, target);
else await buildProgram(folder, target);
console.error(`built ${name} in ${relative(`${folder}/../..`, target)}`);
