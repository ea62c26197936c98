import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CallerTarget, Form, Tally } from "./attack.ts";

const program = fileURLToPath(new URL("./attacker-process.ts", import.meta.url));
const startTimeoutMs = 120_000;
const stopTimeoutMs = 60_000;

/** The beginning of what is counted if an attack could not run. */
export const broken = "the attack broke";

/**
 * Runs an attack over the network in a process of its own with the lowest priority. Asks it to stop
 * when `signal` aborts. Resolves with what it did; an attacker that does not end, or fails, is
 * reported in the tally and killed.
 */
export async function runAttacker(options: {
  readonly name: string;
  readonly form: Form;
  readonly target: CallerTarget;
  readonly signal: AbortSignal;
}): Promise<Tally> {
  const { name, form, target, signal } = options;
  const child = fork(program, [name, form, JSON.stringify(target)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = new Promise<Tally>((resolve) => {
    let tally: Tally = { [`${broken}: it died`]: 1 };
    child.on("message", (message) => {
      tally = message as Tally;
    });
    child.on("exit", () => resolve(tally));
  });
  const kill = () => child.kill("SIGKILL");
  let timer = setTimeout(kill, startTimeoutMs);
  const stop = () => {
    if (child.connected) child.send("stop");
    clearTimeout(timer);
    timer = setTimeout(kill, stopTimeoutMs);
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
