import { type Loop, startLoop } from "@settle/chassis/base/loop";
import { provisionBroker } from "@settle/chassis/provision/provision-broker";
import { provisionDatabase } from "@settle/chassis/provision/provision-database";
import { restoreBroker } from "@settle/chassis/provision/restore-broker";
import type { Logger } from "pino";
import { type ServiceName, serviceNames } from "../../services/services.ts";
import { looks, restored } from "./provisioner-metrics.ts";
import { notWaitedFor, subscriptions } from "./subscriptions.ts";

/** The virtual host of the system in RabbitMQ. */
export const vhost = "settle";

/** The user in RabbitMQ that creates again what is missing; see {@link keepQueues}. */
export const provisionerUser = "provisioner";

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
 * Ensures that the virtual host has all queues, a user for each service, and one for the provisioner
 * if it has a password. Repeatable. `managementUrl` is the URL of the management API, with the credentials of an administrator.
 */
export async function provisionQueues(
  managementUrl: string,
  passwords: ServicePasswords,
  provisionerPassword?: string,
): Promise<void> {
  await provisionBroker({
    ...administrationBy(managementUrl),
    services: services.map((service) => ({ ...service, password: passwords[service.name] })),
    provisioner:
      provisionerPassword === undefined
        ? undefined
        : { user: provisionerUser, password: provisionerPassword },
  });
}

/**
 * Creates queues, exchanges, bindings and policies again that were deleted, every `intervalMs` until
 * it is disposed; see {@link restoreBroker}. Logs what it has created. `managementUrl` is the URL of
 * the management API, with the credentials of the provisioner.
 */
export function keepQueues(options: {
  readonly managementUrl: string;
  readonly intervalMs: number;
  readonly log: Logger;
}): Loop {
  const { managementUrl, intervalMs, log } = options;
  for (const result of ["ok", "failed"]) looks.inc({ result }, 0);
  const loop = startLoop({
    name: "provisioner",
    intervalMs,
    log,
    async runOnce() {
      let result = "failed";
      try {
        const created = await restoreBroker({ ...administrationBy(managementUrl), services });
        result = "ok";
        restored.inc(created.length);
        if (created.length > 0) log.warn({ created }, "what was missing on the broker is back");
      } finally {
        looks.inc({ result });
      }
    },
  });
  loop.wake();
  log.info({ intervalMs }, "keeping the queues");
  return loop;
}

const services = serviceNames.map((name) => ({
  name,
  listensTo: subscriptions[name],
  isWaitedFor: !notWaitedFor.includes(name),
}));

function administrationBy(managementUrl: string) {
  const { username, password, origin } = new URL(managementUrl);
  return {
    managementUrl: origin,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    vhost,
  };
}
