import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const maxLooks = 100;
const lookIntervalMs = 50;

/** A step in a document: a command and the JSON that it prints, or variables to set. */
export type TourCommand = {
  readonly script: string;
  /** The expected output of the last line; absent if the script sets variables. */
  readonly expected?: unknown;
};

/** The environment of the commands, with the variables that were set before. */
export type Terminal = {
  /** The edge, such as `localhost:8000`. */
  readonly host: string;
  /** The working directory. */
  readonly root: string;
  /** The variables set so far, on top of the environment; {@link typeCommand} adds to them. */
  readonly variables: Record<string, string>;
};

/** The documents of the tour, in order: later ones use the results of earlier ones. */
const documents = ["README.md", "docs/reference/api.md"];

/**
 * Returns the steps of the tour in the documents below `root`, in order: each block fenced as
 * `sh tour`, with the `json` block that follows it, if there is one.
 */
export function readTour(root: string): TourCommand[] {
  const markdown = documents.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
  const blocks = markdown.matchAll(/^```sh tour\n(.*?)^```\n(?:\n+^```json\n(.*?)^```)?/gms);
  return [...blocks].map(([, script = "", json]) =>
    json === undefined ? { script } : { script, expected: JSON.parse(json) },
  );
}

/**
 * Whether `actual` contains everything in `expected`: objects may have additional fields, lists
 * must have the same length, all other values must be equal.
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
 * Runs the command. Throws unless it sets its variables, or its last line prints the output in the
 * document. Repeats commands that only read for some seconds, because an order settles some
 * milliseconds after the response.
 */
export async function typeCommand(
  { script, expected }: TourCommand,
  { host, root, variables }: Terminal,
): Promise<void> {
  const type = async (line: string): Promise<string> => {
    const env = { ...process.env, ...variables };
    return (await run("bash", ["-c", line], { cwd: root, env })).stdout;
  };
  const lines = script.trim().replaceAll("localhost:8000", host).split("\n");
  if (expected === undefined) {
    for (const line of lines) {
      const [, name] = /^([a-z]+)=/.exec(line) ?? [];
      if (name === undefined) throw new Error(`the document does not show the output of: ${line}`);
      variables[name] = await type(`${line}; printf %s "$${name}"`);
      if (variables[name] === "") throw new Error(`${name} is empty`);
    }
    return;
  }
  const last = lines.pop() ?? "";
  for (const line of lines) await type(line);
  const looks = / -d | -X /.test(last) ? 1 : maxLooks;
  let printed: unknown;
  for (let look = 0; look < looks; look += 1) {
    if (look > 0) await pause(lookIntervalMs);
    // Server-sent events have a field name in front.
    printed = JSON.parse((await type(last)).replace(/^data: /, ""));
    if (holds(printed, expected)) return;
  }
  throw new Error(`it printed ${JSON.stringify(printed)}`);
}
