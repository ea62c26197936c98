import { retryDelays, retryQueueOf, topologyOf } from "../contract/topology.ts";
import { binding, exchange, matching, policy, queue, quoted } from "./broker-definitions.ts";
import { type BrokerAdministration, createManagementCall } from "./broker-management.ts";

// The broker gives a message back at most this often when its consumer dies; our own count of
// attempts, in a header, ends long before.
const deliveryLimit = 100;
const maxQueueLength = 5_000_000;
const maxDeadLetters = 100_000;

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
 */
export async function provisionBroker(
  options: BrokerAdministration & { readonly services: readonly BrokerService[] },
): Promise<void> {
  const { user, vhost, services } = options;
  const call = createManagementCall(options);
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
  const limited = (name: string, definition: Readonly<Record<string, string | number>>) =>
    policy(name, { overflow: "reject-publish", "max-length": maxQueueLength, ...definition });
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
      limited(own.work, { "delivery-limit": deliveryLimit, ...deadLettering(own.deadLetter) }),
      limited(own.deadLetters, { "max-length": maxDeadLetters }),
      ...retryDelays.map(({ label, delayMs }) =>
        limited(retryQueueOf(name, label), {
          "message-ttl": delayMs,
          ...deadLettering(own.requeue),
        }),
      ),
    ]),
  };
}
