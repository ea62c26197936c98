/**
 * `npm run tour [-- <host>]`: runs the commands in README.md and docs/reference/api.md against the
 * edge at the host, by default localhost:8000.
 */
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
    const { message } = error as Error;
    console.log(`FAILED  ${command.script.trim()}\n        ${message}`);
    process.exitCode = 1;
    if (!message.includes("ACCOUNT_ALREADY_EXISTS")) continue;
    // Hardly any command after it would print what the documents show.
    console.log("\nThe tour needs empty databases: restart the system with npm start -- --fresh");
    break;
  }
}
