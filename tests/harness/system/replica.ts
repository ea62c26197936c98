import { constants } from "node:os";
import type { Child, Exit } from "../../../tools/local/process/nursery.ts";

/** One process of a service. */
export type Replica = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** Settles once the process has ended. */
  readonly exited: Child["exited"];
  /** Stops it as a supervisor would and resolves with how it ended. */
  stop(): Promise<Exit>;
  /** Ends it without warning. */
  kill(): Promise<void>;
};

/** The exit code of a process that was ended by SIGKILL. */
export const killed = 128 + constants.signals.SIGKILL;

/** The process `child` of a service that listens on `port`; `onExit` is told whether anybody asked for its end. */
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
      // Once it has ended, its pid may be somebody else's.
      if (alive) process.kill(child.pid, "SIGKILL");
      await child.exited;
    },
  };
}
