import { provisionBroker } from "@settle/chassis/provision/provision-broker";
import { provisionDatabase } from "@settle/chassis/provision/provision-database";
import { type ServiceName, serviceNames } from "../../services/services.ts";
import { notWaitedFor, subscriptions } from "./subscriptions.ts";

/** RabbitMQ's virtual host of the whole system. */
export const vhost = "settle";

/** What each service signs in with. */
export type ServicePasswords = Readonly<Record<ServiceName, string>>;

/**
 * Makes sure that every service has a role and a database of its name. Repeatable. `adminUrl` names
 * a superuser and any database to connect to.
 */
export async function provisionDatabases(
  adminUrl: string,
  passwords: ServicePasswords,
): Promise<void> {
  for (const name of serviceNames) {
    await provisionDatabase({ adminUrl, name, password: passwords[name] });
  }
}

/**
 * Makes sure that the virtual host holds all queues and a user for every service. Repeatable.
 * `managementUrl` is the management API with an administrator's name and password in it.
 */
export async function provisionQueues(
  managementUrl: string,
  passwords: ServicePasswords,
): Promise<void> {
  const { username, password, origin } = new URL(managementUrl);
  await provisionBroker({
    managementUrl: origin,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    vhost,
    services: serviceNames.map((name) => ({
      name,
      password: passwords[name],
      listensTo: subscriptions[name],
      isWaitedFor: !notWaitedFor.includes(name),
    })),
  });
}
