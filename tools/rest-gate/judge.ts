import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { latestRelease } from "../release/releases.ts";
import { type Breach, findBreaches } from "./gate.ts";

/** A breaking change that was decided on. */
export type Deliberate = {
  /** As in a breach; all operations if absent. */
  readonly operation?: string;
  readonly place: string;
  readonly rule: string;
  readonly why: string;
};

/**
 * Returns the breaking changes of `gen/openapi/` against the newest release, one per line; empty if
 * there are none. Changes in the release's `deliberate.json` are allowed, and must occur.
 */
export function judgeRest(root: string): string {
  return judgeDocument(root, readFileSync(join(root, "gen/openapi/settle.json"), "utf8"));
}

/** The same for another document, as text. */
export function judgeDocument(root: string, present: string): string {
  const release = latestRelease(root);
  const released = readFileSync(join(root, release, "openapi.json"), "utf8");
  const list = join(root, release, "deliberate.json");
  const deliberate: readonly Deliberate[] = existsSync(list)
    ? JSON.parse(readFileSync(list, "utf8"))
    : [];
  return judge(findBreaches(released, present), deliberate, release).join("\n");
}

/** Reports breaches that are not deliberate, and deliberate ones that do not occur. */
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
      return `${where}: ${rule}. Fix: ${fix}.`;
    });
  const idle = deliberate
    .filter((entry) => !breaches.some((breach) => fits(breach, entry)))
    .map(
      ({ place, rule }) =>
        `${release}/deliberate.json names a break that does not occur: ${place}: ${rule}`,
    );
  return [...faults, ...idle];
}
