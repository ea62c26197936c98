import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ListedService } from "../../services/services.ts";
import { fillIn } from "./places/snippet.ts";

const folder = join(import.meta.dirname, "template");
const suffix = ".txt";

/** The files of a new service that handles these events, by their paths below the project's root. */
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

/** The names of the messages that a new service adds to the contract, all packages' being one set. */
export function messageNamesOf(service: ListedService): readonly string[] {
  return ["Get{Name}ActivityRequest", "{Name}Activity", "{Name}Service"].map((name) =>
    fillIn(name, service),
  );
}
