import { readProvisionConfig } from "./config.ts";
import { provisionDatabases, provisionQueues } from "./provision.ts";

const config = readProvisionConfig(process.env);
await provisionDatabases(config.postgresUrl, config.databasePasswords);
console.log("PostgreSQL: the roles and databases of the services are ready");
await provisionQueues(config.managementUrl, config.brokerPasswords);
console.log("RabbitMQ: the users and queues of the services are ready");
