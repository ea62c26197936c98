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
