/**
 * Aborts `stop` on Ctrl-C, SIGTERM or a closed terminal, or when the bootstrap process that started
 * this one has ended. Further signals have no effect.
 */
export function abortOnStop(stop: AbortController): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => stop.abort());
  process.on("disconnect", () => stop.abort());
  // The channel must not keep this process alive.
  process.channel?.unref();
  // The reader may be gone; this process must still stop the others.
  for (const out of [process.stdout, process.stderr]) out.on("error", () => {});
}

/**
 * Runs a command and ends the process: with 0, or the code that the command has set, or 1 and the
 * message of what it threw. `stop` aborts as with {@link abortOnStop}; failures caused by that are not
 * reported.
 */
export async function runUntilStopped(
  main: (stop: AbortController) => Promise<void>,
): Promise<never> {
  const stop = new AbortController();
  abortOnStop(stop);
  try {
    await main(stop);
  } catch (error) {
    if (stop.signal.aborted) console.error("Stopped before the end.");
    else console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
  process.exit();
}
