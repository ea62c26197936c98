import { systemClock } from "@settle/chassis/base/clock";
import { createLog } from "@settle/chassis/base/log";
import { runService } from "@settle/chassis/run";
import { startPayments } from "@settle/payments/app";
import { readConfig } from "@settle/payments/config";
import { killAt } from "./kill-at.ts";

const config = readConfig(process.env);
const log = createLog("payments", config.logLevel);
const faults = killAt(process.env.CRASH_AT ?? "");
await runService(log, () => startPayments(config, { clock: systemClock, log, faults }));
