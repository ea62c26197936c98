import type { ListedService } from "../../services/services.ts";
import { type Place, removeFrom } from "./places/places.ts";
import { fillIn } from "./places/snippet.ts";

/** How the files that name services would refer to one, besides by lines of its own. */
const references = [
  ...["[&*]{name}", "[&*]{name}Instances", "[&*]to{Name}", "{name}-http1", "{name}-service"],
  ...["{name}\\.v1", "services/{name}", "/gateway/{name}", "cluster: {name}", "name: {name}"],
  ...['"{name}"', "{NAME}_(?:PORT|DB_PASSWORD|AMQP_PASSWORD)"],
];

/** The lines of `text` that refer to the service, comments aside, each with its number. */
export function linesAbout(text: string, service: ListedService): readonly string[] {
  const forms = references.map((form) => fillIn(form, service)).join("|");
  const pattern = new RegExp(`(?<!\\w)(?:${forms})(?!\\w)`);
  return text.split("\n").flatMap((line, at) => {
    const isComment = /^\s*(?:#|\/\/)/.test(line);
    return !isComment && pattern.test(line) ? [`${at + 1}: ${line.trim()}`] : [];
  });
}

/**
 * The lines that a removal of the service would take out of the place's file and that it would take
 * neither out of `committed`, the file as git has it, nor out of what a new service comes with.
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

/** Throws, with what to do, where one of these files still refers to the service. */
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
    `more refers to ${service.name} than a new service comes with; take this out first:\n` +
      left.join("\n"),
  );
}
