const intervalMs = 5_000;

/** Tells on standard error what is going on, each line with the seconds since the start. */
export type Progress = {
  line(text: string): void;
  /** Waits for `work`, and says every few seconds what it is about. */
  during<T>(what: () => string, work: Promise<T>): Promise<T>;
};

/** Starts telling. */
export function startProgress(): Progress {
  const startMs = performance.now();
  const line = (text: string) => {
    const seconds = Math.round((performance.now() - startMs) / 1_000);
    process.stderr.write(`[${String(seconds).padStart(4)} s] ${text}\n`);
  };
  return {
    line,
    async during(what, work) {
      const timer = setInterval(() => line(`  ... ${what()}`), intervalMs);
      return work.finally(() => clearInterval(timer));
    },
  };
}
