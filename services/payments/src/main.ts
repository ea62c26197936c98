import { systemClock } from "@settle/chassis/base/clock";
import { noFaults } from "@settle/chassis/base/faults";
import { createLog } from "@settle/chassis/base/log";
import { runService } from "@settle/chassis/run";
import { startPayments } from "./app.ts";
import { readConfig } from "./config.ts";

const config = readConfig(process.env);
const log = createLog("payments", config.logLevel);
await runService(log, () => startPayments(config, { clock: systemClock, log, faults: noFaults }));
