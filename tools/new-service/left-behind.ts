import type { ListedService } from "../../services/services.ts";
import { type Place, removeFrom } from "./places/places.ts";
import { fillIn } from "./places/snippet.ts";

/** Patterns of references to a service outside its own snippets. */
const references = [
  ...["[&*]{name}", "[&*]{name}Instances", "[&*]to{Name}", "{name}-http1", "{name}-service"],
  ...["{name}\\.v1", "services/{name}", "/gateway/{name}", "cluster: {name}", "name: {name}"],
  ...['"{name}"', "{NAME}_(?:PORT|DB_PASSWORD|AMQP_PASSWORD)"],
];

/** Returns the lines of `text`, except comments, that refer to the service, with line numbers. */
export function linesAbout(text: string, service: ListedService): readonly string[] {
  const forms = references.map((form) => fillIn(form, service)).join("|");
  const pattern = new RegExp(`(?<!\\w)(?:${forms})(?!\\w)`);
  return text.split("\n").flatMap((line, at) => {
    const isComment = /^\s*(?:#|\/\/)/.test(line);
    return !isComment && pattern.test(line) ? [`${at + 1}: ${line.trim()}`] : [];
  });
}

/**
 * Returns the lines that would be lost if the service were removed from the file of `place`: those
 * that are neither in `committed`, the committed version of the file, nor in the snippets of a new
 * service.
 */
export function linesLost(
  place: Place,
  { text, committed }: { readonly text: string; readonly committed: string },
  service: ListedService,
): readonly string[] {
  const template = place.snippets.flatMap((snippet) => fillIn(snippet.text, service).split("\n"));
  const known = new Set([...template, ...linesTaken(place, committed, service)]);
  return linesTaken(place, text, service).filter((line) => line !== "" && !known.has(line));
}

function linesTaken(place: Place, text: string, { name }: ListedService): readonly string[] {
  const kept = removeFrom(place, text, name).split("\n");
  return text.split("\n").filter((line) => {
    const at = kept.indexOf(line);
    if (at >= 0) kept.splice(at, 1);
    return at < 0;
  });
}

/** Throws if one of these files still refers to the service. */
export function assertNothingLeft(
  files: Iterable<string>,
  read: (file: string) => string,
  service: ListedService,
): void {
  const left = [...files].flatMap((file) =>
    linesAbout(read(file), service).map((line) => `  ${file}:${line}`),
  );
  if (left.length === 0) return;
  throw new Error(
    `these lines would still refer to ${service.name}; remove them first:\n${left.join("\n")}`,
  );
}
