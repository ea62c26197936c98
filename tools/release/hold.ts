/** Stops and continues a process. Disposing it continues the process. */
export type Hold = Disposable & {
  /** Stops the process, or continues it. */
  set(held: boolean): void;
};

/** Creates a hold on a process, which runs on for now. A stopped one keeps its connections. */
export function createHold(pid: number): Hold {
  let isHeld = false;
  const set = (held: boolean) => {
    if (held !== isHeld) process.kill(pid, held ? "SIGSTOP" : "SIGCONT");
    isHeld = held;
  };
  return { set, [Symbol.dispose]: () => set(false) };
}
