import { runProgram } from "@settle/proto-schemas/plugin/program";
import { usage } from "./options.ts";
import { createPlugin } from "./plugin.ts";

await runProgram(createPlugin({ warn: (line) => console.error(line) }), {
  usage,
  manifest: new URL("../package.json", import.meta.url),
});
