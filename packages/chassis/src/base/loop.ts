import type { Logger } from "pino";
import { steadyLogOf } from "./steady-log.ts";

export type Loop = AsyncDisposable & {
  /** Runs the work as soon as possible instead of waiting for the interval. */
  wake(): void;
};

/**
 * Runs `runOnce` every `intervalMs`, plus or minus a fifth so that replicas drift apart. Runs never
 * overlap. A run that throws is logged, and the loop continues. Disposing waits for the current
 * run.
 */
export function startLoop(options: {
  readonly name: string;
  readonly intervalMs: number;
  readonly runOnce: () => Promise<unknown>;
  readonly log: Logger;
}): Loop {
  const { name, intervalMs, runOnce, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let wanted = false;
  let stopped = false;

  const schedule = () => {
    if (stopped) return;
    timer = setTimeout(start, intervalMs * (0.8 + Math.random() * 0.4));
  };
  const start = () => {
    wanted = false;
    running = run();
  };
  const run = async () => {
    try {
      await runOnce();
    } catch (error) {
      steadyLogOf(log).warn({ err: error, loop: name }, "a run of the loop failed", name);
    }
    running = undefined;
    if (wanted && !stopped) start();
    else schedule();
  };

  schedule();
  return {
    wake() {
      wanted = true;
      if (running || stopped) return;
      clearTimeout(timer);
      start();
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
