import type { Logger } from "pino";

/**
 * Runs a service as this process: starts it, stops it gracefully on SIGTERM or SIGINT, within
 * `stopTimeoutMs` even if it is still starting, and ends the process with 0 after a clean stop and
 * with 1 after anything else. An exception that nobody caught means that a broken assumption may
 * have broken more: it is logged and the process ends at once, for its supervisor to start it anew;
 * nothing accepted is lost.
 */
export async function runService(
  log: Logger,
  start: () => Promise<AsyncDisposable>,
  stopTimeoutMs = 15_000,
): Promise<void> {
  const fail = (message: string) => (error: unknown) => {
    log.fatal({ err: error }, message);
    log.flush();
    process.exit(1);
  };
  process.on("uncaughtException", fail("uncaught exception"));
  process.on("unhandledRejection", fail("unhandled rejection"));
  const stopped = new Promise<string>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });

  // Armed by the signal and not by the end of the start, which may take longer.
  const stopping = stopped.then((signal) => {
    log.info({ signal }, "stopping");
    setTimeout(() => fail("stopping took too long")(undefined), stopTimeoutMs).unref();
  });

  const service = await start().catch(fail("the service could not start"));
  await stopping;
  await service?.[Symbol.asyncDispose]();
  log.info("stopped");
  process.exit(0);
}
