import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Child } from "./nursery.ts";

const pollIntervalMs = 50;
const answerTimeoutMs = 2_000;
const logLines = 15;
const lineMaxCharacters = 300;

/** A part that could not start: the message says which and why and ends with its log's last lines. */
export class PartFailure extends Error {
  override name = "PartFailure";
}

/**
 * Waits until `isReady` says so. When the process ends before, or is not ready after `timeoutMs`, it
 * is stopped and `PartFailure` thrown.
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

/** Whether a GET of `url` is answered with success, within two seconds. */
export async function isAnswering(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** The last lines of a log as the end of a message; says so where there are none. */
export function quoteLog(file: string): string {
  const text = stripVTControlCharacters(readFileSync(file, "utf8"));
  const lines = text.trimEnd().split("\n").slice(-logLines);
  const quoted = lines.map((line) => `\n    ${line.slice(0, lineMaxCharacters)}`).join("");
  return quoted.trim() === "" ? ` Its log is empty: ${file}` : ` Last lines of ${file}:${quoted}`;
}
