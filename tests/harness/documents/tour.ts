/** `npm run tour`: types README's commands at whatever answers at localhost:8000, or where told. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readTour, typeCommand } from "./readme.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [host = "localhost:8000"] = process.argv.slice(2);

const variables = {};
for (const command of readTour(readFileSync(`${root}/README.md`, "utf8"))) {
  try {
    await typeCommand(command, { host, root, variables });
    console.log(`ok      ${command.script.trim()}`);
  } catch (error) {
    console.log(`FAILED  ${command.script.trim()}\n        ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
