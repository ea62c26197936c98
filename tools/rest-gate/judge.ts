import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { latestRelease } from "../release/releases.ts";
import { type Breach, findBreaches } from "./gate.ts";

/** What a release's clients have to live with, because it was decided so. */
export type Deliberate = {
  /** As in a breach; every operation without it. */
  readonly operation?: string;
  readonly place: string;
  readonly rule: string;
  readonly why: string;
};

/**
 * Returns what the REST calls of `gen/openapi/` break of the newest release, a line each; empty when
 * nothing does. What the release's `deliberate.json` names passes, and has to happen.
 */
export function judgeRest(root: string): string {
  return judgeDocument(root, readFileSync(join(root, "gen/openapi/settle.json"), "utf8"));
}

/** The same for a document in the place of that of `gen/openapi/`, as text. */
export function judgeDocument(root: string, present: string): string {
  const release = latestRelease(root);
  const released = readFileSync(join(root, release, "openapi.json"), "utf8");
  const list = join(root, release, "deliberate.json");
  const deliberate: readonly Deliberate[] = existsSync(list)
    ? JSON.parse(readFileSync(list, "utf8"))
    : [];
  return judge(findBreaches(released, present), deliberate, release).join("\n");
}

/** Writes the breaches that are not deliberate, and what is deliberate and does not happen. */
export function judge(
  breaches: readonly Breach[],
  deliberate: readonly Deliberate[],
  release: string,
): readonly string[] {
  const fits = (breach: Breach, { operation, place, rule }: Deliberate) =>
    breach.place === place &&
    breach.rule === rule &&
    (operation === undefined || breach.operation === operation);
  const faults = breaches
    .filter((breach) => !deliberate.some((entry) => fits(breach, entry)))
    .map(({ operation, place, rule, fix }) => {
      const where = place === "" ? operation : `${operation}: ${place}`;
      return `${where}: ${rule}. To mend it: ${fix}.`;
    });
  const idle = deliberate
    .filter((entry) => !breaches.some((breach) => fits(breach, entry)))
    .map(({ place, rule }) => `${release}/deliberate.json names what is not so: ${place}: ${rule}`);
  return [...faults, ...idle];
}
