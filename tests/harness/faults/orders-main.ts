import { systemClock } from "@settle/chassis/base/clock";
import { createLog } from "@settle/chassis/base/log";
import { runService } from "@settle/chassis/run";
import { startOrders } from "@settle/orders/app";
import { readConfig } from "@settle/orders/config";
import { killAt } from "./kill-at.ts";

const config = readConfig(process.env);
const log = createLog("orders", config.logLevel);
const faults = killAt(process.env.CRASH_AT ?? "");
await runService(log, () => startOrders(config, { clock: systemClock, log, faults }));
