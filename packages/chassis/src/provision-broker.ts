import { setTimeout as pause } from "node:timers/promises";
import { retryDelays, retryQueueOf, topologyOf } from "./topology.ts";

// The broker gives a message back at most this often when its consumer dies; our own count of
// attempts, in a header, ends long before.
const deliveryLimit = 100;
const maxQueueLength = 5_000_000;
const maxDeadLetters = 100_000;
const requestTimeoutMs = 10_000;
const maxRequestAttempts = 5;

/** A service's user on the broker and the events of other services that it handles. */
export type BrokerService = {
  readonly name: string;
  /** The user's name; the service's own unless several brokers share a server. */
  readonly user?: string;
  readonly password: string;
  /** The type names of the events, by the service that publishes them. */
  readonly listensTo: Readonly<Record<string, readonly string[]>>;
};

/**
 * Makes sure that the virtual host holds every exchange, queue, binding and policy of the services,
 * and that each service has a user who may publish to its own exchanges, read its own work queue,
 * and declare nothing but queues for hints. Repeatable.
 *
 * Queues are quorum queues whose only argument is that; limits, delays and dead-letter exchanges
 * are policies, so that they can change on a queue that exists. Suits RabbitMQ 3.10 and 4.x.
 *
 * Uses the management API at `managementUrl` as the administrator `user`.
 */
export async function provisionBroker(options: {
  readonly managementUrl: string;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  readonly services: readonly BrokerService[];
}): Promise<void> {
  const { managementUrl, user, password, vhost, services } = options;
  const call = managementClient(managementUrl, user, password);
  const host = encodeURIComponent(vhost);
  await call("PUT", `/api/vhosts/${host}`, { default_queue_type: "quorum" });
  await call("PUT", `/api/permissions/${host}/${encodeURIComponent(user)}`, {
    configure: ".*",
    write: ".*",
    read: ".*",
  });
  await call("POST", `/api/definitions/${host}`, definitionsOf(services));
  for (const service of services) {
    const name = encodeURIComponent(service.user ?? service.name);
    const own = topologyOf(service.name);
    const hintQueues = `${quoted(own.hints)}\\..+`;
    await call("PUT", `/api/users/${name}`, { password: service.password, tags: "" });
    await call("PUT", `/api/permissions/${host}/${name}`, {
      configure: matching(hintQueues),
      // Whoever binds a queue has to be permitted to write to it and to read the exchange.
      write: matching(
        ...[own.events, own.retry, own.deadLetter, own.hints].map(quoted),
        hintQueues,
      ),
      read: matching(...[own.work, own.hints].map(quoted), hintQueues),
    });
  }
}

/** The exchanges, queues, bindings and policies of the services, as RabbitMQ's definitions. */
export function definitionsOf(services: readonly BrokerService[]) {
  const exchange = (name: string, type: string) => ({
    name,
    type,
    durable: true,
    auto_delete: false,
    internal: false,
    arguments: {},
  });
  const queue = (name: string) => ({
    name,
    durable: true,
    auto_delete: false,
    arguments: { "x-queue-type": "quorum" },
  });
  const binding = (source: string, destination: string, routingKey: string) => ({
    source,
    destination,
    destination_type: "queue",
    routing_key: routingKey,
    arguments: {},
  });
  const policy = (name: string, definition: Record<string, string | number>) => ({
    name,
    pattern: matching(quoted(name)),
    "apply-to": "queues",
    priority: 10,
    definition: { overflow: "reject-publish", "max-length": maxQueueLength, ...definition },
  });
  const deadLettering = (exchangeName: string) => ({
    "dead-letter-exchange": exchangeName,
    "dead-letter-strategy": "at-least-once",
  });
  const names = services.map((service) => ({ ...service, own: topologyOf(service.name) }));
  return {
    exchanges: names.flatMap(({ own }) => [
      exchange(own.events, "topic"),
      exchange(own.requeue, "fanout"),
      exchange(own.retry, "direct"),
      exchange(own.deadLetter, "fanout"),
      exchange(own.hints, "fanout"),
    ]),
    queues: names.flatMap(({ name, own }) => [
      queue(own.work),
      queue(own.deadLetters),
      ...retryDelays.map(({ label }) => queue(retryQueueOf(name, label))),
    ]),
    bindings: names.flatMap(({ name, own, listensTo }) => [
      binding(own.requeue, own.work, ""),
      binding(own.deadLetter, own.deadLetters, ""),
      ...retryDelays.map(({ label }) => binding(own.retry, retryQueueOf(name, label), label)),
      ...Object.entries(listensTo).flatMap(([publisher, types]) =>
        types.map((type) => binding(topologyOf(publisher).events, own.work, type)),
      ),
    ]),
    policies: names.flatMap(({ name, own }) => [
      policy(own.work, { "delivery-limit": deliveryLimit, ...deadLettering(own.deadLetter) }),
      policy(own.deadLetters, { "max-length": maxDeadLetters }),
      ...retryDelays.map(({ label, delayMs }) =>
        policy(retryQueueOf(name, label), {
          "message-ttl": delayMs,
          ...deadLettering(own.requeue),
        }),
      ),
    ]),
  };
}

function matching(...patterns: readonly string[]): string {
  return `^(${patterns.join("|")})$`;
}

function quoted(name: string): string {
  return name.replaceAll(".", "\\.");
}

function managementClient(managementUrl: string, user: string, password: string) {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return async (method: string, path: string, body: unknown): Promise<void> => {
    for (let tried = 1; ; tried += 1) {
      const response = await fetch(new URL(path, managementUrl), {
        method,
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      if (response.ok) return;
      const text = await response.text();
      // A broker that has just started answers some calls before it can serve them.
      if (response.status < 500 || tried === maxRequestAttempts) {
        throw new Error(`the broker answered ${method} ${path} with ${response.status}: ${text}`);
      }
      await pause(500 * tried);
    }
  };
}
