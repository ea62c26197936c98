/** Stops and resumes a process. Disposing it resumes the process. */
export type Hold = Disposable & {
  /** Stops or resumes the process. */
  set(held: boolean): void;
};

/**
 * Creates a hold on a process, which keeps running for now. A stopped one keeps its connections.
 */
export function createHold(pid: number): Hold {
  let isHeld = false;
  const set = (held: boolean) => {
    if (held !== isHeld) process.kill(pid, held ? "SIGSTOP" : "SIGCONT");
    isHeld = held;
  };
  return { set, [Symbol.dispose]: () => set(false) };
}
