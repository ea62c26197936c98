/**
 * Aborts `stop` when this process is asked to stop, by Ctrl-C, SIGTERM or a closed terminal, or when
 * the bootstrap that started it is gone. Asked again, nothing more happens.
 */
export function abortOnStop(stop: AbortController): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => stop.abort());
  process.on("disconnect", () => stop.abort());
  // The channel only tells of its own end: it must not keep this process alive.
  process.channel?.unref();
  // Nobody may be there to read any more; that must not end us before the others have stopped.
  for (const out of [process.stdout, process.stderr]) out.on("error", () => {});
}
