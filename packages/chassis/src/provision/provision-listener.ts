import { batchKeyOf, topologyOf } from "../contract/topology.ts";
import { binding, eventBindings, exchange, matching, queue, quoted } from "./broker-definitions.ts";
import {
  type BrokerAdministration,
  createManagementCall,
  type ManagementCall,
} from "./broker-management.ts";
import { droppingPolicies } from "./dropping-queues.ts";
import type { BrokerService } from "./provision-broker.ts";

const deliveryLimit = 20;
// Per user, over all nodes of the broker: enough for a few dozen replicas.
const maxConnections = 50;
const maxChannels = 200;

/** A user on the broker that is no service of ours, and the events that it listens to. */
export type BrokerListener = Omit<BrokerService, "isWaitedFor"> & {
  /** Whether its queue also gets batches of these events; default: true. */
  readonly readsBatches?: boolean;
};

/**
 * Ensures that a program of another team can listen to events: a queue bound to the events of
 * `listensTo`, a queue for its dead letters, and a user that may only read these two. Can be
 * repeated; events that are already bound stay bound, but for batches of `listensTo` if it reads none. Throws, without changing anything, if a user
 * of that name is not a listener of this virtual host.
 *
 * No publisher waits for a listener; {@link droppingPolicies} says what happens to a full queue.
 */
export async function provisionListener(
  options: BrokerAdministration & { readonly listener: BrokerListener },
): Promise<void> {
  const { vhost, listener } = options;
  const { name, listensTo, password, readsBatches = true } = listener;
  const call = createManagementCall(options);
  const host = encodeURIComponent(vhost);
  const user = encodeURIComponent(listener.user ?? name);
  const own = topologyOf(name);
  const { work, deadLetter, deadLetters } = own;
  const bindings = Object.entries(listensTo).flatMap(([publisher, types]) =>
    types.flatMap((type) => eventBindings(topologyOf(publisher).events, work, type)),
  );
  const isOfBatches = ({ routing_key: key }: (typeof bindings)[number]) =>
    Object.values(listensTo).some((types) => types.some((type) => key === batchKeyOf(type)));
  await refuseOthersUser(call, vhost, listener.user ?? name);
  await call("POST", `/api/definitions/${host}`, {
    exchanges: [exchange(deadLetter, "fanout")],
    queues: [queue(work), queue(deadLetters)],
    bindings: [
      binding(deadLetter, deadLetters, ""),
      ...bindings.filter((bound) => readsBatches || !isOfBatches(bound)),
    ],
    policies: droppingPolicies(own, deliveryLimit),
  });
  for (const { source, routing_key: key } of readsBatches ? [] : bindings.filter(isOfBatches)) {
    await call("DELETE", `/api/bindings/${host}/e/${source}/q/${work}/${encodeURIComponent(key)}`);
  }
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
 * Removes a listener, its queues and all messages in them. A removal that was interrupted can be
 * repeated. Throws if nothing of such a listener exists, or if the user of that name is not a
 * listener of this virtual host.
 */
export async function removeListener(
  options: BrokerAdministration & { readonly listener: Pick<BrokerListener, "name" | "user"> },
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
    // The user comes last, because its tag shows to whom the rest belongs.
    `users/${encodeURIComponent(user)}`,
  ]) {
    if (await call("DELETE", `/api/${path}`)) isFound = true;
  }
  if (!isFound) throw new Error(`there is no listener ${listener.name} on ${vhost}`);
}

/** The tag that marks a user as a listener of the virtual host. */
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
