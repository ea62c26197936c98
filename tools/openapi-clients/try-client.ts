import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client, Job } from "./client.ts";
import { makeJourney, type Stage as RunningSystem } from "./journey.ts";
import { runCommand, ToolFailure } from "./run-command.ts";
import type { Stage, Verdict } from "./verdicts.ts";

/** Generated clients are kept here, to be looked at. */
export const workFolder = fileURLToPath(new URL(".cache", import.meta.url));

const commandTimeoutMs = 300_000;

/**
 * Generates and compiles a client, and makes the journey if there is a system. Returns how far it
 * came; what a failed program printed is in `<stage>.log` in the folder of the client.
 */
export async function tryClient(options: {
  readonly client: Client;
  /** `settle`, or the package of public protos. */
  readonly name: string;
  /** The path of the document. */
  readonly document: string;
  readonly system?: RunningSystem | undefined;
  readonly signal?: AbortSignal;
  /** Called after each stage, with the time that it took. */
  readonly onStage?: (stage: Stage, ms: number) => void;
}): Promise<Verdict> {
  const { client, name, document, system, signal, onStage } = options;
  const folder = join(workFolder, client.name, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "client"), { recursive: true });
  const job: Job = {
    document,
    folder,
    withJourney: system !== undefined,
    run: ({ cwd = folder, ...command }) =>
      runCommand({ cwd, ...command }, { timeoutMs: commandTimeoutMs, signal }),
  };
  const work: readonly (readonly [Stage, () => Promise<void>])[] = [
    ["generates", () => client.generate(job)],
    ["compiles", () => client.compile(job)],
    ...(system ? [["runs", () => makeJourney(client, job, system, signal)] as const] : []),
  ];
  const passed: Stage[] = [];
  for (const [stage, run] of work) {
    const startedMs = performance.now();
    try {
      await run();
    } catch (error) {
      signal?.throwIfAborted();
      const { message } = error as Error;
      const output = error instanceof ToolFailure ? error.output : String(error);
      writeFileSync(join(folder, `${stage}.log`), output);
      const known = client.knownFaults?.find(({ sign }) => sign.test(message));
      return {
        client: client.name,
        document: name,
        passed,
        failed: stage,
        reason: message,
        ...(known && { fault: known.what }),
      };
    }
    passed.push(stage);
    onStage?.(stage, performance.now() - startedMs);
  }
  return { client: client.name, document: name, passed };
}
