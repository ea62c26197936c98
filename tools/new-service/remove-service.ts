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
import { findFaults } from "./places/find-faults.ts";
import { places, removeFrom } from "./places/places.ts";
import { createStaging, type Staging } from "./staging.ts";
import { renderTemplate } from "./template.ts";
import { findUncommitted, readCommitted } from "./working-tree.ts";

/**
 * Takes the service of that name out again, or throws and has changed nothing. Throws where events
 * could not be published or would wait without it, and where its folders hold what neither git has
 * nor a new service comes with.
 */
export async function removeService(
  { root, signal, log }: Surroundings,
  name: string,
): Promise<readonly Change[]> {
  const service = findService(name);
  const own = [`services/${name}`, `proto/${name}`];
  log("Copying the project, to prepare everything there ...");
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
  log("Generating code and documents from the contract ...");
  await staging.generate();
  const faults = findFaults(
    staging.folder,
    services.filter((other) => other.name !== name),
  );
  if (faults.length > 0) throw new Error(`this did not come out right:\n${faults.join("\n")}`);
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
    throw new Error(`there is no service ${name}: the list has ${names}`);
  }
  for (const event of file_events_v1_events.messages) {
    const route = routeOf(event);
    const isFrom = route?.from === name;
    if (!isFrom && !route?.to.includes(name)) continue;
    throw new Error(
      `${event.typeName} is routed ${isFrom ? "from" : "to"} ${name}: a service that others ` +
        "live by is not taken out by a command; change the contract first",
    );
  }
  return service;
}

/** Puts into the copy what a new service comes with, and compares what there is with it. */
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
    `this would be lost, because git does not have it: ${lost.join(", ")}; commit it first, or delete it`,
  );
}

/** What somebody has added to the service's lines of files that others have lines of, too. */
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

/** The files of the service's own folders that are not as a new service has them. */
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
