import { createLog } from "@settle/chassis/base/log";
import { runService } from "@settle/chassis/run";
import { readWebConfig } from "./config.ts";
import { startWebServer } from "./server.ts";

const config = readWebConfig(process.env);
const log = createLog("web", config.logLevel);
await runService(log, () => startWebServer({ config, log }));
