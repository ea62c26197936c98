import { readProvisionConfig } from "./config.ts";
import { provisionDatabases, provisionQueues } from "./provision.ts";

const config = readProvisionConfig(process.env);
await provisionDatabases(config.postgresUrl, config.databasePasswords);
console.log("PostgreSQL has the services' roles and databases");
await provisionQueues(config.managementUrl, config.brokerPasswords);
console.log("RabbitMQ has the services' users and queues");
