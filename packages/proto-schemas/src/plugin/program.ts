import { readFileSync } from "node:fs";
import { OptionFault, type Plugin } from "./plugin.ts";
import { readRequest } from "./read-request.ts";
import { isStdinIdle, readStdin, writeStdout } from "./standard-streams.ts";
import { writeResponse } from "./write-response.ts";

/**
 * Runs a plugin as the program that a compiler starts: a CodeGeneratorRequest on stdin, its answer
 * on stdout. Prints `usage` for `--help`, or when somebody starts it in a terminal, and for `--version`
 * that of the package.json at `manifest`. Ends the process, with 1 after a fault in the options or in the
 * plugin, which is told on stderr.
 */
export async function runProgram(
  plugin: Plugin,
  { usage, manifest }: { readonly usage: string; readonly manifest: URL },
): Promise<void> {
  const [first] = process.argv.slice(2);
  if (first === "--help" || first === "-h" || (first === undefined && isStdinIdle())) {
    console.log(usage);
    return;
  }
  if (first === "--version") {
    console.log(JSON.parse(readFileSync(manifest, "utf8")).version);
    return;
  }
  try {
    if (first !== undefined) throw new OptionFault(`unexpected argument ${first}; see --help`);
    await writeStdout(writeResponse(await plugin.run(readRequest(await readStdin()))));
    // Skips the cleanup of memory, which takes time.
    process.exit(0);
  } catch (error) {
    const what = error instanceof OptionFault ? error.message : (error as Error).stack;
    console.error(`${plugin.name}: ${what}`);
    process.exitCode = 1;
  }
}
