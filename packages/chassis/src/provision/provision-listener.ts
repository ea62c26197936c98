import { topologyOf } from "../contract/topology.ts";
import { binding, exchange, matching, policy, queue, quoted } from "./broker-definitions.ts";
import {
  type BrokerAdministration,
  createManagementCall,
  type ManagementCall,
} from "./broker-management.ts";
import type { BrokerService } from "./provision-broker.ts";

const deliveryLimit = 20;
const maxQueueLength = 1_000_000;
const maxQueueBytes = 2 ** 30;
const maxDeadLetters = 100_000;
const maxDeadLetterBytes = 2 ** 28;
// Of one user, on all the broker's nodes: enough for a few dozen replicas.
const maxConnections = 50;
const maxChannels = 200;

/**
 * Makes sure that somebody who is no service of ours can listen to its events: a queue with the
 * events of `listensTo`, one for what is rejected there, and a user who may read the two and do
 * nothing else. Repeatable; events that the queue had before stay. Throws, and has changed nothing,
 * where a user of that name is not a listener of this virtual host.
 *
 * A queue that its listener leaves alone drops its oldest messages when it is full: if it refused
 * new ones instead, as those of services do, the publishers would have to stop for it. What is dropped
 * goes to the dead letters, and pushes the oldest of those out for good once there are too many.
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
  const limited = (of: string, limits: Readonly<Record<string, string | number>>) =>
    policy(of, { overflow: "drop-head", ...limits });
  await refuseOthersUser(call, vhost, listener.user ?? name);
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
      limited(work, {
        "max-length": maxQueueLength,
        "max-length-bytes": maxQueueBytes,
        "delivery-limit": deliveryLimit,
        "dead-letter-exchange": deadLetter,
      }),
      limited(deadLetters, {
        "max-length": maxDeadLetters,
        "max-length-bytes": maxDeadLetterBytes,
      }),
    ],
  });
  await call("PUT", `/api/users/${user}`, { password, tags: tagOf(vhost) });
  await call("PUT", `/api/user-limits/${user}/max-connections`, { value: maxConnections });
  await call("PUT", `/api/user-limits/${user}/max-channels`, { value: maxChannels });
  await call("PUT", `/api/permissions/${host}/${user}`, {
    configure: "^$",
    write: "^$",
    read: matching(quoted(work), quoted(deadLetters)),
  });
}

/**
 * Removes a listener with its queues and all that waits there; one that was stopped halfway can be
 * repeated. Throws where nothing is left of any, and where the user of that name is not a listener of
 * this virtual host.
 */
export async function removeListener(
  options: BrokerAdministration & { readonly listener: Pick<BrokerService, "name" | "user"> },
): Promise<void> {
  const { vhost, listener } = options;
  const call = createManagementCall(options);
  const host = encodeURIComponent(vhost);
  const user = listener.user ?? listener.name;
  const { work, deadLetter, deadLetters } = topologyOf(listener.name);
  await refuseOthersUser(call, vhost, user);
  let isFound = false;
  for (const path of [
    ...[work, deadLetters].flatMap((name) => [
      `queues/${host}/${name}`,
      `policies/${host}/${name}`,
    ]),
    `exchanges/${host}/${deadLetter}`,
    // Last, because its tag says whose the rest is.
    `users/${encodeURIComponent(user)}`,
  ]) {
    if (await call("DELETE", `/api/${path}`)) isFound = true;
  }
  if (!isFound) throw new Error(`there is no listener ${listener.name} on ${vhost}`);
}

/** What the user of a listener is told by from all other users, who belong to no virtual host. */
function tagOf(vhost: string): string {
  // Tags are separated by commas.
  return `settle-listener-${encodeURIComponent(vhost)}`;
}

async function refuseOthersUser(call: ManagementCall, vhost: string, user: string): Promise<void> {
  const found = await call("GET", `/api/users/${encodeURIComponent(user)}`);
  if (!found) return;
  const { tags } = (await found.json()) as { readonly tags: readonly string[] };
  const tag = tagOf(vhost);
  if (tags.includes(tag)) return;
  throw new Error(
    `the broker's user ${user} is not a listener of the virtual host ${vhost}: ` +
      `it lacks the tag ${tag}`,
  );
}
