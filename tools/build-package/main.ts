/**
 * `npm run build -w packages/<name>`: writes what is published of the package into its dist/. A
 * package with a program (`bin`) is bundled, one with an API is compiled.
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
console.error(`${name} is built in ${relative(`${folder}/../..`, target)}`);
