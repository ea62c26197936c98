/**
 * Runs next to a nursery. When the pipe on stdin closes because the process of the nursery has
 * ended, it stops all processes that are still on the list, and exits.
 */
import { stopLeftovers } from "./claim.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: orphan-guard.ts <list of processes>");

process.stdin.resume();
process.stdin.on("end", async () => {
  await stopLeftovers(file);
  process.exit(0);
});
