import { OptionFault, type Plugin } from "./plugin.ts";
import { readRequest } from "./read-request.ts";
import { isStdinIdle, readStdin, writeStdout } from "./standard-streams.ts";
import { writeResponse } from "./write-response.ts";

/**
 * Runs a plugin as a program for compilers: reads a CodeGeneratorRequest from stdin and writes the
 * response to stdout. Prints `usage` for `--help`, or if it is started in a terminal. Exits the
 * process, with 1 and a message on stderr if the options are invalid or the plugin fails.
 */
export async function runProgram(plugin: Plugin, usage: string): Promise<void> {
  const [first] = process.argv.slice(2);
  if (first === "--help" || first === "-h" || (first === undefined && isStdinIdle())) {
    console.log(usage);
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
