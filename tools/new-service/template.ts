import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ListedService } from "../../services/services.ts";
import { fillIn } from "./places/snippet.ts";

const folder = join(import.meta.dirname, "template");
const suffix = ".txt";
const ownIdentifier = /\w*\{Name\}\w*/g;

/** Returns the files of a new service that handles these events, by path relative to the root. */
export function renderTemplate(
  service: ListedService,
  events: readonly string[],
): ReadonlyMap<string, string> {
  const schemas = events.map((event) => `${event.split(".").at(-1)}Schema`);
  const files = globSync(`**/*${suffix}`, { cwd: folder }).sort();
  return new Map(
    files.map((file) => [
      fillIn(file.slice(0, -suffix.length), service),
      fillIn(readFileSync(join(folder, file), "utf8"), service)
        .replaceAll("{schemas}", schemas.join(", "))
        .replaceAll("{firstEvent}", events[0] ?? ""),
    ]),
  );
}

/** Returns what the SDK would export for a new service: its messages, contract and facade. */
export function sdkNamesOf(service: ListedService): readonly string[] {
  return ["Get{Name}ActivityRequest", "{Name}Activity", "{Name}Service", "{Name}"].map((name) =>
    fillIn(name, service),
  );
}

/**
 * Returns a file or identifier that would occur twice in a service of this name, because the
 * template already uses it for something else; undefined if there is none.
 */
export function findClash(service: ListedService): string | undefined {
  const files = globSync(`**/*${suffix}`, { cwd: folder });
  const paths = files.map((file) => fillIn(file.slice(0, -suffix.length), service));
  const path = paths.find((one, at) => paths.indexOf(one) !== at);
  if (path !== undefined) return path;
  for (const file of files) {
    const text = readFileSync(join(folder, file), "utf8");
    const others = new Set(text.replace(ownIdentifier, "").match(/\w+/g));
    const own = text.match(ownIdentifier)?.map((identifier) => fillIn(identifier, service));
    const clash = own?.find((identifier) => others.has(identifier));
    if (clash !== undefined) return clash;
  }
  return undefined;
}
