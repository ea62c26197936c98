import { systemClock } from "@settle/chassis/base/clock";
import { createLog } from "@settle/chassis/base/log";
import { runService } from "@settle/chassis/run";
import { readDevIssuerConfig } from "./config.ts";
import { openIssuer } from "./issuer.ts";
import { startIssuerServer } from "./server.ts";

const { issuerUrl, audience, keysFolder, ...config } = readDevIssuerConfig(process.env);
const log = createLog("dev-issuer", config.logLevel);
await runService(log, async () => {
  const issuer = await openIssuer({
    folder: keysFolder,
    issuer: issuerUrl,
    audience,
    clock: systemClock,
  });
  return startIssuerServer({ ...config, issuer, log });
});
