import { toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { OptionFault, type Plugin } from "./plugin.ts";
import { readRequest } from "./read-request.ts";

/**
 * Runs a plugin as the program that a compiler starts: a CodeGeneratorRequest on stdin, its answer
 * on stdout. Prints `usage` for `--help`, or when somebody starts it in a terminal. Ends the process,
 * with 1 after a fault in the options or in the plugin, which is told on stderr.
 */
export async function runProgram(plugin: Plugin, usage: string): Promise<void> {
  const [first] = process.argv.slice(2);
  if (first === "--help" || first === "-h" || (first === undefined && process.stdin.isTTY)) {
    console.log(usage);
    return;
  }
  try {
    if (first !== undefined) throw new OptionFault(`there is no argument ${first}; try --help`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    const request = readRequest(Buffer.concat(chunks));
    const answer = toBinary(CodeGeneratorResponseSchema, await plugin.run(request));
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(answer, (error) => (error ? reject(error) : resolve()));
    });
    // Without waiting for what is left in memory to be tidied up.
    process.exit(0);
  } catch (error) {
    const what = error instanceof OptionFault ? error.message : (error as Error).stack;
    console.error(`${plugin.name}: ${what}`);
    process.exitCode = 1;
  }
}
