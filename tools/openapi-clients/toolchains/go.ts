import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { findGo } from "../../local/fetch/go-program.ts";
import type { Command, Job } from "../client.ts";

/** The Go command with its cache of modules, which it fills from the Go module proxy. */
async function goCommand(...args: readonly string[]): Promise<Command> {
  return { command: await findGo(), args, env: { GOFLAGS: "-buildvcs=false -mod=readonly" } };
}

/**
 * Builds and vets the generated client. `source` has the journey, and the go.mod and go.sum with the
 * pinned versions of what generated code imports.
 */
export async function compileGo(job: Job, source: string): Promise<void> {
  for (const file of ["go.mod", "go.sum"]) copyFileSync(join(source, file), join(job.folder, file));
  if (job.withJourney) copyFileSync(join(source, "journey.go"), join(job.folder, "journey.go"));
  await job.run(await goCommand("build", "./..."));
  await job.run(await goCommand("vet", "./..."));
  if (job.withJourney) await job.run(await goCommand("build", "-o", "journey", "."));
}
