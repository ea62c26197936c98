import { provisionBroker } from "@settle/chassis/provision/provision-broker";
import { provisionDatabase } from "@settle/chassis/provision/provision-database";
import { type ServiceName, serviceNames } from "../../services/services.ts";
import { notWaitedFor, subscriptions } from "./subscriptions.ts";

/** The virtual host of the system in RabbitMQ. */
export const vhost = "settle";

/** The password of each service. */
export type ServicePasswords = Readonly<Record<ServiceName, string>>;

/**
 * Ensures that each service has a role and a database with its name. Repeatable. `adminUrl` has the
 * credentials of a superuser, and any database.
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
 * Ensures that the virtual host has all queues, and a user for each service. Repeatable.
 * `managementUrl` is the URL of the management API, with the credentials of an administrator.
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
