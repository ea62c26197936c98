/**
 * Runs beside a nursery and outlives it by a moment: when the pipe on stdin closes, because the
 * nursery's process has ended in whatever way, it stops all processes that are still written down.
 */
import { stopLeftovers } from "./claim.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: orphan-guard.ts <file of running processes>");

process.stdin.resume();
process.stdin.on("end", async () => {
  await stopLeftovers(file);
  process.exit(0);
});
