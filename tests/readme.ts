import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const maxLooks = 100;
const lookIntervalMs = 50;

/** A command that README.md shows, and the JSON it says the last line prints. */
export type ReadmeCommand = { readonly script: string; readonly expected: unknown };

/**
 * Returns what README.md tells its reader to type during the tour, in order: each block fenced as
 * `sh tour`, with the `json` block that follows it.
 */
export function readTour(markdown: string): ReadmeCommand[] {
  const blocks = markdown.matchAll(/^```sh tour\n(.*?)^```\n+^```json\n(.*?)^```/gms);
  return [...blocks].map(([, script = "", json = ""]) => ({ script, expected: JSON.parse(json) }));
}

/**
 * Whether `actual` holds everything in `expected`: objects may have more fields, lists must have as
 * many items, everything else is equal.
 */
export function holds(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, index) => holds(actual[index], item))
    );
  }
  if (typeof expected === "object" && expected !== null) {
    if (typeof actual !== "object" || actual === null) return false;
    const fields = actual as Readonly<Record<string, unknown>>;
    return Object.entries(expected).every(([name, value]) => holds(fields[name], value));
  }
  return actual === expected;
}

/**
 * Types the command at the edge on `host` (such as `localhost:8000`), from the folder `root`, and
 * throws unless its last line prints what README.md shows. A command that only looks may look again,
 * for some seconds: an order settles some milliseconds after its answer.
 */
export async function typeCommand(
  { script, expected }: ReadmeCommand,
  { host, root }: { readonly host: string; readonly root: string },
): Promise<void> {
  const print = async (line: string): Promise<unknown> =>
    JSON.parse((await run("bash", ["-c", line], { cwd: root })).stdout);
  const lines = script.trim().replaceAll("localhost:8000", host).split("\n");
  const last = lines.pop() ?? "";
  for (const line of lines) await print(line);
  const looks = last.includes(" -d ") ? 1 : maxLooks;
  let printed: unknown;
  for (let look = 0; look < looks; look += 1) {
    if (look > 0) await pause(lookIntervalMs);
    printed = await print(last);
    if (holds(printed, expected)) return;
  }
  throw new Error(`it printed ${JSON.stringify(printed)}`);
}
