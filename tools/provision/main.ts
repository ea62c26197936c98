import { parseArgs } from "node:util";
import { createLog } from "@settle/chassis/base/log";
import { serveMetrics } from "@settle/chassis/rpc/metrics-server";
import { runService } from "@settle/chassis/run";
import { readProvisionConfig, readWatchConfig } from "./config.ts";
import { keepQueues, provisionDatabases, provisionQueues } from "./provision.ts";

const { values } = parseArgs({ options: { watch: { type: "boolean" } } });
if (values.watch) {
  const { logLevel, metrics, ...config } = readWatchConfig(process.env);
  const log = createLog("provisioner", logLevel);
  await runService(log, async () => {
    await using starting = new AsyncDisposableStack();
    starting.use(await serveMetrics(metrics, log));
    starting.use(keepQueues({ ...config, log }));
    return starting.move();
  });
} else {
  const config = readProvisionConfig(process.env);
  await provisionDatabases(config.postgresUrl, config.databasePasswords);
  console.log("PostgreSQL: the roles and databases of the services are ready");
  const { managementUrl, brokerPasswords, provisionerPassword } = config;
  await provisionQueues(managementUrl, brokerPasswords, provisionerPassword);
  console.log("RabbitMQ: the users and queues of the services are ready");
}
