import { binding, exchange, matching, policy, queue, quoted } from "./broker-definitions.ts";
import { type BrokerAdministration, createManagementCall } from "./broker-management.ts";
import type { BrokerService } from "./provision-broker.ts";
import { topologyOf } from "./topology.ts";

const deliveryLimit = 20;
const maxQueueLength = 1_000_000;
const maxDeadLetters = 100_000;

/**
 * Makes sure that somebody who is no service of ours can listen to its events: a queue with the
 * events of `listensTo`, one for what is rejected there, and a user who may read the two and do
 * nothing else. Repeatable; events that the queue had before stay.
 *
 * A queue that its listener leaves alone drops its oldest messages when it is full: if it refused
 * new ones instead, as those of services do, the publishers would have to stop for it.
 */
export async function provisionListener(
  options: BrokerAdministration & { readonly listener: BrokerService },
): Promise<void> {
  const { vhost, listener } = options;
  const { name, listensTo, password } = listener;
  const call = createManagementCall(options);
  const host = encodeURIComponent(vhost);
  const user = encodeURIComponent(listener.user ?? name);
  const { work, deadLetter, deadLetters } = topologyOf(name);
  const limited = (of: string, length: number, more: Readonly<Record<string, string | number>>) =>
    policy(of, { overflow: "drop-head", "max-length": length, ...more });
  await call("POST", `/api/definitions/${host}`, {
    exchanges: [exchange(deadLetter, "fanout")],
    queues: [queue(work), queue(deadLetters)],
    bindings: [
      binding(deadLetter, deadLetters, ""),
      ...Object.entries(listensTo).flatMap(([publisher, types]) =>
        types.map((type) => binding(topologyOf(publisher).events, work, type)),
      ),
    ],
    policies: [
      limited(work, maxQueueLength, {
        "delivery-limit": deliveryLimit,
        "dead-letter-exchange": deadLetter,
      }),
      limited(deadLetters, maxDeadLetters, {}),
    ],
  });
  await call("PUT", `/api/users/${user}`, { password, tags: "" });
  await call("PUT", `/api/permissions/${host}/${user}`, {
    configure: "^$",
    write: "^$",
    read: matching(quoted(work), quoted(deadLetters)),
  });
}

/** Removes a listener with its queues and all that waits there; throws where there is none. */
export async function removeListener(
  options: BrokerAdministration & { readonly listener: Pick<BrokerService, "name" | "user"> },
): Promise<void> {
  const { vhost, listener } = options;
  const call = createManagementCall(options);
  const host = encodeURIComponent(vhost);
  const { work, deadLetter, deadLetters } = topologyOf(listener.name);
  await call("DELETE", `/api/users/${encodeURIComponent(listener.user ?? listener.name)}`);
  for (const name of [work, deadLetters]) {
    await call("DELETE", `/api/queues/${host}/${name}`);
    await call("DELETE", `/api/policies/${host}/${name}`);
  }
  await call("DELETE", `/api/exchanges/${host}/${deadLetter}`);
}
