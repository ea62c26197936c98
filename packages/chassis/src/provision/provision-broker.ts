import { retryDelays, retryQueueOf, topologyOf } from "../contract/topology.ts";
import {
  binding,
  eventBindings,
  exchange,
  matching,
  policy,
  queue,
  quoted,
} from "./broker-definitions.ts";
import { type BrokerAdministration, createManagementCall } from "./broker-management.ts";
import { droppingLimits, droppingPolicies } from "./dropping-queues.ts";

// How often the broker redelivers a message whose consumer dies. Our own limit of attempts, counted
// in a header, is much lower.
const deliveryLimit = 100;
const maxQueueLength = 5_000_000;
const maxDeadLetters = 100_000;
// Beyond it the broker drops a message: a dead letter must outlast any number of crashed readers.
const deadLetterDeliveryLimit = 1_000_000_000;

/** A service's RabbitMQ user and the events of other services that it handles. */
export type BrokerService = {
  readonly name: string;
  /** The user's name; the service's own unless several brokers share a server. */
  readonly user?: string;
  readonly password: string;
  /** The type names of the events, by the service that publishes them. */
  readonly listensTo: Readonly<Record<string, readonly string[]>>;
  /**
   * Whether publishers wait for it, as the contract has it (`isWaitedFor` in routes.ts): its full
   * queue refuses messages. One that is not waited for has queues that drop their oldest instead.
   */
  readonly isWaitedFor: boolean;
};

/** The user of a program that keeps calling {@link restoreBroker}. */
export type BrokerProvisioner = {
  /** The user's name. */
  readonly user: string;
  readonly password: string;
};

/**
 * Ensures that the virtual host has every exchange, queue, binding and policy of the services, and
 * that each service has a user that may publish to its own exchanges, read its own work queue, and
 * declare nothing but queues for hints. Can be repeated.
 *
 * The provisioner, if there is one, gets a user that may create exactly these exchanges, queues and
 * bindings, and policies of the virtual host (`restoreBroker`). It can neither read nor publish
 * messages. RabbitMQ has no right to create that is not also one to delete, so keep its password as
 * well as an administrator's.
 *
 * All queues are quorum queues, without any other argument. Limits, delays and dead-letter
 * exchanges are policies, so that they can change on an existing queue, and with them whether
 * publishers wait for a service. A publisher that a full queue has already refused must reconnect
 * before that queue accepts its events again. Works with RabbitMQ 3.10 and 4.x.
 */
export async function provisionBroker(
  options: BrokerAdministration & {
    readonly services: readonly BrokerService[];
    readonly provisioner?: BrokerProvisioner | undefined;
  },
): Promise<void> {
  const { user, vhost, services, provisioner } = options;
  const call = createManagementCall(options);
  const host = encodeURIComponent(vhost);
  await call("PUT", `/api/vhosts/${host}`, { default_queue_type: "quorum" });
  await call("PUT", `/api/permissions/${host}/${encodeURIComponent(user)}`, {
    configure: ".*",
    write: ".*",
    read: ".*",
  });
  const definitions = definitionsOf(services);
  await call("POST", `/api/definitions/${host}`, definitions);
  for (const service of services) {
    const name = encodeURIComponent(service.user ?? service.name);
    const own = topologyOf(service.name);
    const hintQueues = `${quoted(own.hints)}\\..+`;
    await call("PUT", `/api/users/${name}`, { password: service.password, tags: "" });
    await call("PUT", `/api/permissions/${host}/${name}`, {
      configure: matching(hintQueues),
      // Binding a queue needs write permission on the queue and read permission on the exchange.
      write: matching(
        ...[own.events, own.retry, own.deadLetter, own.hints].map(quoted),
        hintQueues,
      ),
      read: matching(...[own.work, own.deadLetters, own.hints].map(quoted), hintQueues),
    });
  }
  if (provisioner) {
    const name = encodeURIComponent(provisioner.user);
    const [exchanges, queues] = [definitions.exchanges, definitions.queues].map((all) =>
      all.map((one) => quoted(one.name)),
    ) as [string[], string[]];
    await call("PUT", `/api/users/${name}`, {
      password: provisioner.password,
      tags: "policymaker",
    });
    // Binding needs write permission on the queue and read permission on the exchange. Publishing
    // would need write permission on an exchange, and consuming read permission on a queue.
    await call("PUT", `/api/permissions/${host}/${name}`, {
      configure: matching(...exchanges, ...queues),
      write: matching(...queues),
      read: matching(...exchanges),
    });
  }
}

/** The exchanges, queues, bindings and policies of the services, as RabbitMQ's definitions. */
export function definitionsOf(
  services: readonly Pick<BrokerService, "name" | "listensTo" | "isWaitedFor">[],
) {
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
        types.flatMap((type) => eventBindings(topologyOf(publisher).events, own.work, type)),
      ),
    ]),
    policies: names.flatMap(({ name, own, isWaitedFor }) => [
      ...(isWaitedFor
        ? [
            limited(own.work, {
              "delivery-limit": deliveryLimit,
              ...deadLettering(own.deadLetter),
            }),
            limited(own.deadLetters, {
              "max-length": maxDeadLetters,
              "delivery-limit": deadLetterDeliveryLimit,
            }),
          ]
        : droppingPolicies(own, deliveryLimit)),
      // Only the service itself publishes to these: one that is full makes nobody else wait.
      ...retryDelays.map(({ label, delayMs }) =>
        limited(retryQueueOf(name, label), {
          "message-ttl": delayMs,
          ...(isWaitedFor ? {} : droppingLimits),
          ...deadLettering(own.requeue),
        }),
      ),
    ]),
  };
}
