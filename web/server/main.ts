import { createLog } from "@settle/chassis/base/log";
import { serveMetrics } from "@settle/chassis/rpc/metrics-server";
import { runService } from "@settle/chassis/run";
import { readWebConfig } from "./config.ts";
import { startWebServer } from "./server.ts";

const config = readWebConfig(process.env);
const log = createLog("web", config.logLevel);
await runService(log, async () => {
  await using starting = new AsyncDisposableStack();
  starting.use(await serveMetrics(config.metrics, log));
  starting.use(await startWebServer({ config, log }));
  return starting.move();
});
