/** `npm run listener`: lets a program of another team listen to events; see request.ts. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { provisionListener, removeListener } from "@settle/chassis/provision/provision-listener";
import { type OwnBroker, readLocalConfig, readOwnBroker } from "../local/config.ts";
import { adminUser, readAdminPassword } from "../local/rabbitmq/rabbitmq-node.ts";
import { readListenerRequest, usage } from "./request.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Returns the broker in the environment variables, or else that of `npm start`. */
function findBroker(env: NodeJS.ProcessEnv): OwnBroker {
  const own = readOwnBroker(env);
  if (own) return own;
  const { dataDir, ports } = readLocalConfig(root, [], env);
  const folder = join(dataDir, "rabbitmq");
  if (!existsSync(folder)) {
    throw new Error("Run `npm start` first, or set AMQP_URL and RABBITMQ_MANAGEMENT_URL.");
  }
  const credentials = `${adminUser}:${readAdminPassword(folder)}`;
  return {
    amqpUrl: `amqp://${credentials}@127.0.0.1:${ports.amqp}`,
    managementUrl: `http://${credentials}@127.0.0.1:${ports.management}`,
  };
}

async function main(args: readonly string[]): Promise<void> {
  const request = readListenerRequest(args);
  if (request === undefined) return console.log(usage);
  const envFile = join(root, ".env");
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  const { amqpUrl, managementUrl } = findBroker(process.env);
  const { username, password, origin } = new URL(managementUrl);
  const administration = {
    managementUrl: origin,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    vhost: request.vhost,
  };
  const { name, listensTo, readsBatches } = request;
  if (request.isRemoval) {
    await removeListener({ ...administration, listener: { name } });
    return console.error(`Removed the listener ${name}`);
  }
  const secret = process.env.LISTENER_PASSWORD || randomBytes(18).toString("base64url");
  await provisionListener({
    ...administration,
    listener: { name, password: secret, listensTo, readsBatches },
  });
  const url = new URL(amqpUrl);
  url.username = name;
  url.password = secret;
  url.pathname = `/${encodeURIComponent(request.vhost)}`;
  console.error(`The queue ${name}.work receives ${Object.values(listensTo).flat().join(", ")}`);
  console.log(url.href);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
