import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ListedService } from "../../../services/services.ts";
import { missingIn, namedIn, type Place, places } from "./places.ts";

const list = "services/services.ts";

/**
 * Returns how the files below `root` differ from the list of services, one line per difference: what
 * a file lacks for a listed service, and services that are not listed.
 */
export function findFaults(root: string, services: readonly ListedService[]): readonly string[] {
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  const names = new Set(services.map(({ name }) => name));
  const unlisted = (file: string, found: Iterable<string>) =>
    [...found]
      .filter((name) => !names.has(name))
      .map((name) => `${file}: ${name} is not in ${list}`);
  return [
    ...places.flatMap((place) => faultsOf(place, read(place.file), services)),
    ...places.flatMap((place) => unlisted(place.file, namedIn(place, read(place.file)))),
    ...services.flatMap((service) => missingFiles(root, service)),
    ...unlisted("services/", parentsOf(root, "services/*/package.json", 1)),
    ...unlisted("proto/", parentsOf(root, "proto/*/v1/*_service.proto", 2)),
    ...lockFaults(JSON.parse(read("package-lock.json")), services),
  ];
}

/** Returns what the file of `place`, with this text, lacks. */
export function faultsOf(
  place: Place,
  text: string,
  services: readonly ListedService[],
): readonly string[] {
  return services.flatMap((service) =>
    missingIn(place, text, service).map((what) => `${place.file}: no ${what}`),
  );
}

function missingFiles(root: string, { name }: ListedService): readonly string[] {
  return [
    `services/${name}/package.json`,
    `services/${name}/src/main.ts`,
    `proto/${name}/v1/${name}_service.proto`,
    `gen/openapi/${name}.v1.json`,
    `gen/sdk/src/${name}.ts`,
  ].flatMap((file) => (existsSync(join(root, file)) ? [] : [`${file}: no such file`]));
}

function lockFaults(
  { packages }: { readonly packages: Readonly<Record<string, unknown>> },
  services: readonly ListedService[],
): readonly string[] {
  return services
    .flatMap(({ name }) => [`services/${name}`, `node_modules/@settle/${name}`])
    .filter((path) => !(path in packages))
    .map((path) => `package-lock.json: no package ${path}`);
}

function parentsOf(root: string, pattern: string, depth: number): readonly string[] {
  return globSync(pattern, { cwd: root }).map((file) => file.split("/").at(-1 - depth) ?? "");
}
