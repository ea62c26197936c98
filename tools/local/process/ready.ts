import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Child } from "./nursery.ts";

const pollIntervalMs = 50;
const answerTimeoutMs = 2_000;
const logLines = 15;
const lineMaxCharacters = 300;

/** Thrown if a part cannot start. The message has its name, the reason and the end of its log. */
export class PartFailure extends Error {
  override name = "PartFailure";
}

/**
 * Waits until `isReady` returns true. If the process ends first, or is not ready after `timeoutMs`,
 * stops it and throws `PartFailure`.
 */
export async function waitUntilReady(options: {
  readonly what: string;
  readonly child: Child;
  readonly isReady: () => Promise<boolean>;
  readonly timeoutMs: number;
}): Promise<void> {
  const { what, child, isReady, timeoutMs } = options;
  const deadline = performance.now() + timeoutMs;
  let failure: string | undefined;
  void child.exited.then(({ reason }) => {
    failure = `ended while starting (${reason})`;
  });
  while (!(await isReady())) {
    if (performance.now() > deadline) failure ??= `was not ready after ${timeoutMs / 1000} s`;
    if (failure !== undefined) {
      await child.stop();
      throw new PartFailure(`${what} ${failure}.${quoteLog(child.logFile)}`);
    }
    await pause(pollIntervalMs);
  }
}

/** Whether `GET url` returns success within two seconds. */
export async function isAnswering(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Returns the last lines of a log as the end of a message, or a note that it is empty. */
export function quoteLog(file: string): string {
  const text = stripVTControlCharacters(readFileSync(file, "utf8"));
  const lines = text.trimEnd().split("\n").slice(-logLines);
  const quoted = lines.map((line) => `\n    ${line.slice(0, lineMaxCharacters)}`).join("");
  return quoted.trim() === "" ? ` Its log is empty: ${file}` : ` Last lines of ${file}:${quoted}`;
}
