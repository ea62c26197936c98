import { existsSync } from "node:fs";
import { join } from "node:path";
import { routeOf } from "@settle/chassis/contract/routes";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { type ListedService, services } from "../../services/services.ts";
import { type Change, findChanges, makeChanges } from "./changes.ts";
import { eventsFile, type Surroundings, sharedFiles } from "./create-service.ts";
import { removeRoutes } from "./event-routes.ts";
import { assertNothingLeft, linesLost } from "./left-behind.ts";
import { unlinkPackage } from "./links.ts";
import { removePackage } from "./lock-file.ts";
import { places, removeFrom } from "./places/places.ts";
import { regenerate } from "./regenerate.ts";
import { createStaging, type Staging } from "./staging.ts";
import { renderTemplate } from "./template.ts";
import { findUncommitted, readCommitted } from "./working-tree.ts";

/**
 * Removes a service; if it throws, the project is unchanged. Throws if the service publishes events
 * or is in `to` in a route, if other lines refer to it, or if uncommitted work would be lost.
 */
export async function removeService(
  { root, signal, log }: Surroundings,
  name: string,
): Promise<readonly Change[]> {
  const service = findService(name);
  const own = [`services/${name}`, `proto/${name}`];
  log("Copying the project ...");
  using staging = await createStaging(root, signal);
  await assertNothingLost(root, staging, service, own);
  for (const path of own) staging.remove(path);
  for (const place of places) {
    staging.write(place.file, removeFrom(place, staging.read(place.file), name));
  }
  staging.write(eventsFile, removeRoutes(staging.read(eventsFile), name));
  assertNothingLeft([...places.map(({ file }) => file), eventsFile], staging.read, service);
  const lockFile = "package-lock.json";
  staging.write(lockFile, removePackage(staging.read(lockFile), name));
  const others = services.filter((other) => other.name !== name);
  await regenerate(staging, others, `without ${name}`, log);
  const changes = staging.changes([...sharedFiles, "gen/**", ...own.map((path) => `${path}/**`)]);
  signal.throwIfAborted();
  makeChanges(root, changes);
  unlinkPackage(root, name);
  return changes;
}

function findService(name: string): ListedService {
  const service = services.find((listed) => listed.name === name);
  if (!service) {
    const names = services.map((listed) => listed.name).join(", ");
    throw new Error(`there is no service ${name}: choose one of ${names}`);
  }
  for (const event of file_events_v1_events.messages) {
    const route = routeOf(event);
    const isFrom = route?.from === name;
    if (!isFrom && !route?.to.includes(name)) continue;
    throw new Error(
      `${event.typeName} is routed ${isFrom ? "from" : "to"} ${name}, so other services depend ` +
        `on it: change the route in ${eventsFile} first`,
    );
  }
  return service;
}

/** Throws if the service has uncommitted work that differs from a new service. */
async function assertNothingLost(
  root: string,
  staging: Staging,
  service: ListedService,
  folders: readonly string[],
): Promise<void> {
  const lost = [
    ...linesLostIn(root, staging, service),
    ...(await filesLostIn(root, staging, service, folders)),
  ];
  if (lost.length === 0) return;
  throw new Error(
    `removing ${service.name} would lose uncommitted work: ${lost.join(", ")}; ` +
      "commit or delete it first",
  );
}

/** Returns the uncommitted lines that were added to the snippets of the service in shared files. */
function linesLostIn(root: string, staging: Staging, service: ListedService): readonly string[] {
  const files = new Set(findUncommitted(root, sharedFiles));
  return places
    .filter(({ file }) => files.has(file))
    .flatMap((place) => {
      const { file } = place;
      const texts = { text: staging.read(file), committed: readCommitted(root, file) };
      return linesLost(place, texts, service).map((line) => `${file}: "${line.trim()}"`);
    });
}

/**
 * Returns the uncommitted files in the service's own folders that differ from a new service. Writes
 * a new service to the copy to compare them.
 */
async function filesLostIn(
  root: string,
  staging: Staging,
  service: ListedService,
  folders: readonly string[],
): Promise<readonly string[]> {
  const uncommitted = new Set(findUncommitted(root, folders));
  if (uncommitted.size === 0) return [];
  const events = file_events_v1_events.messages.filter((event) =>
    routeOf(event)?.alsoTo.includes(service.name),
  );
  for (const folder of folders) staging.remove(folder);
  const names = events.map(({ typeName }) => typeName);
  for (const [file, text] of renderTemplate(service, names)) staging.write(file, text);
  await staging.format(`services/${service.name}`);
  const patterns = folders.map((folder) => `${folder}/**`);
  return findChanges(root, staging.folder, patterns)
    .map(({ file }) => file)
    .filter((file) => uncommitted.has(file) && existsSync(join(root, file)));
}
