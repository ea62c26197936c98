import { type ListedService, services } from "../../services/services.ts";
import { configurationPath } from "../generate/configuration.ts";
import { type Change, makeChanges } from "./changes.ts";
import { addRoutes } from "./event-routes.ts";
import { linkPackage, unlinkPackage } from "./links.ts";
import { addPackage } from "./lock-file.ts";
import { faultsOfEvents, whyNotName } from "./names.ts";
import { addTo, places } from "./places/places.ts";
import { choosePort } from "./port.ts";
import { regenerate } from "./regenerate.ts";
import type { Request } from "./request.ts";
import { createStaging } from "./staging.ts";
import { renderTemplate } from "./template.ts";
import { findUncommitted } from "./working-tree.ts";

/** The file of the contract that declares the events and their routes. */
export const eventsFile = "proto/events/v1/events.proto";

/** The files outside gen/ that mention every service, including generated ones. */
export const sharedFiles = [
  ...places.map(({ file }) => file),
  "package-lock.json",
  eventsFile,
  configurationPath,
] as const;

/** The surroundings of a run. */
export type Surroundings = {
  readonly root: string;
  /** Aborting it ends the run before any change to the project. */
  readonly signal: AbortSignal;
  /** Receives a line before each step that may take a while. */
  readonly log: (line: string) => void;
};

/**
 * Creates the requested service; if it throws, the project is unchanged. If the request is invalid,
 * throws one error that lists every fault and how to fix it.
 */
export async function createService(
  { root, signal, log }: Surroundings,
  request: Extract<Request, { kind: "create" }>,
): Promise<{ readonly service: ListedService; readonly changes: readonly Change[] }> {
  const { name, events } = request;
  const service = { name, port: await assertPossible(root, request) };
  log("Copying the project ...");
  using staging = await createStaging(root, signal);
  for (const place of places) {
    staging.write(place.file, addTo(place, staging.read(place.file), service));
  }
  staging.write(eventsFile, addRoutes(staging.read(eventsFile), name, events));
  for (const [file, text] of renderTemplate(service, events)) staging.write(file, text);
  const manifest = staging.read(`services/${name}/package.json`);
  const lockFile = "package-lock.json";
  staging.write(lockFile, addPackage(staging.read(lockFile), name, manifest));
  log("Formatting the new files ...");
  await staging.format(`services/${name}`);
  await regenerate(staging, [...services, service], `with ${name}`, log);
  const changes = staging.changes([
    ...sharedFiles,
    "gen/**",
    `services/${name}/**`,
    `proto/${name}/**`,
  ]);
  signal.throwIfAborted();
  linkPackage(root, name);
  try {
    makeChanges(root, changes);
  } catch (error) {
    unlinkPackage(root, name);
    throw error;
  }
  return { service, changes };
}

/** Returns the port of the new service; throws one error that lists every fault of the request. */
async function assertPossible(
  root: string,
  request: Extract<Request, { kind: "create" }>,
): Promise<number> {
  const { name, events, port, allowDirty } = request;
  const faults = [...faultsOfEvents(events)];
  const nameFault = whyNotName(root, name);
  if (nameFault !== undefined) faults.unshift(nameFault);
  const uncommitted = new Set(
    findUncommitted(root, [...sharedFiles, "gen"]).map((file) => file.replace(/^gen\/.*/, "gen/")),
  );
  if (uncommitted.size > 0 && !allowDirty) {
    faults.push(
      `files to edit have uncommitted changes: ${[...uncommitted].join(", ")}; ` +
        "commit or stash them so that you can review the new changes, or add --allow-dirty",
    );
  }
  let chosen = 0;
  try {
    chosen = await choosePort(port);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return chosen;
}
