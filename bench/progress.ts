const intervalMs = 5_000;

/** Reports progress on standard error, each line with the seconds since the start. */
export type Progress = {
  line(text: string): void;
  /** Waits for `work`, and reports it every few seconds. */
  during<T>(what: () => string, work: Promise<T>): Promise<T>;
};

/** Starts reporting. */
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
