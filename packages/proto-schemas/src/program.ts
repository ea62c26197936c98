import { OptionFault, type Plugin } from "./plugin.ts";
import { readRequest } from "./read-request.ts";
import { isStdinIdle, readStdin, writeStdout } from "./standard-streams.ts";
import { writeResponse } from "./write-response.ts";

/**
 * Runs a plugin as the program that a compiler starts: a CodeGeneratorRequest on stdin, its answer
 * on stdout. Prints `usage` for `--help`, or when somebody starts it in a terminal. Ends the process,
 * with 1 after a fault in the options or in the plugin, which is told on stderr.
 */
export async function runProgram(plugin: Plugin, usage: string): Promise<void> {
  const [first] = process.argv.slice(2);
  if (first === "--help" || first === "-h" || (first === undefined && isStdinIdle())) {
    console.log(usage);
    return;
  }
  try {
    if (first !== undefined) throw new OptionFault(`there is no argument ${first}; try --help`);
    await writeStdout(writeResponse(await plugin.run(readRequest(await readStdin()))));
    // Without waiting for what is left in memory to be tidied up.
    process.exit(0);
  } catch (error) {
    const what = error instanceof OptionFault ? error.message : (error as Error).stack;
    console.error(`${plugin.name}: ${what}`);
    process.exitCode = 1;
  }
}
