/** `npm run tour`: types the commands of README.md and docs/reference/api.md at whatever answers at localhost:8000, or where told. */
import { fileURLToPath } from "node:url";
import { readTour, typeCommand } from "./tour-commands.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [host = "localhost:8000"] = process.argv.slice(2);

const variables = {};
for (const command of readTour(root)) {
  try {
    await typeCommand(command, { host, root, variables });
    console.log(`ok      ${command.script.trim()}`);
  } catch (error) {
    console.log(`FAILED  ${command.script.trim()}\n        ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
