import type { Logger } from "pino";

/**
 * Runs a service as this process. Stops it gracefully on SIGTERM or SIGINT, within `stopTimeoutMs`
 * even if it is still starting. The process exits with 0 after a clean stop and with 1 otherwise.
 * An uncaught exception may have left the process in an invalid state: it is logged and the process
 * exits at once, so that its supervisor restarts it. Nothing that was accepted is lost.
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

  // Starts at the signal and not at the end of the start, which may take longer.
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
