import { constants } from "node:os";
import type { Child, Exit } from "../../../tools/local/process/nursery.ts";

/** A process of a service. */
export type Replica = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended. */
  readonly exited: Child["exited"];
  /** Stops it as a supervisor would; resolves with its exit. */
  stop(): Promise<Exit>;
  /** Kills it. */
  kill(): Promise<void>;
};

/** The exit code of a process that was killed by SIGKILL. */
export const killed = 128 + constants.signals.SIGKILL;

/** Wraps the process of a service that listens on `port`. `asked` is whether the test ended it. */
export function replicaOf(
  child: Child,
  port: number,
  onExit: (exit: Exit, asked: boolean) => void,
): Replica {
  let asked = false;
  let alive = true;
  void child.exited.then((exit) => {
    alive = false;
    onExit(exit, asked);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    logFile: child.logFile,
    exited: child.exited,
    async stop() {
      asked = true;
      await child.stop();
      return child.exited;
    },
    async kill() {
      asked = true;
      // After its end, its pid may belong to another process.
      if (alive) process.kill(child.pid, "SIGKILL");
      await child.exited;
    },
  };
}
