import type { BrokerAdministration } from "./broker-management.ts";
import { createManagementCall, type ManagementCall } from "./broker-management.ts";
import { type BrokerService, definitionsOf } from "./provision-broker.ts";

type Definitions = ReturnType<typeof definitionsOf>;
type Binding = Definitions["bindings"][number];

/**
 * Creates those exchanges, queues, bindings and policies of the services that the virtual host no
 * longer has, and returns what it has created, such as `queue orders.work`. What exists is left as it
 * is, also if somebody has changed it; messages are never touched. Takes four requests if nothing is
 * missing.
 *
 * The user needs the rights of a provisioner; see {@link provisionBroker}. Throws if the broker does
 * not answer or refuses.
 */
export async function restoreBroker(
  options: BrokerAdministration & {
    readonly services: readonly Pick<BrokerService, "name" | "listensTo" | "isWaitedFor">[];
  },
): Promise<readonly string[]> {
  const { vhost, services } = options;
  const call = createManagementCall(options);
  const host = encodeURIComponent(vhost);
  const wanted = definitionsOf(services);
  const list = <Item>(path: string) => read<readonly Item[]>(call, `/api/${path}`);
  const created: string[] = [];

  /** Creates what is missing of one kind, in the place that is named after it. */
  const restore = async <Item extends { readonly name: string }>(
    kind: "exchange" | "queue" | "policy",
    path: "exchanges" | "queues" | "policies",
    items: readonly Item[],
  ) => {
    const existing = await list<{ readonly name: string }>(`${path}/${host}?columns=name`);
    const names = new Set(existing.map(({ name }) => name));
    for (const { name, ...item } of items) {
      if (names.has(name)) continue;
      await call("PUT", `/api/${path}/${host}/${encodeURIComponent(name)}`, item);
      created.push(`${kind} ${name}`);
    }
  };
  // Policies before queues: a queue has its limits from the first message on.
  await restore("exchange", "exchanges", wanted.exchanges);
  await restore("policy", "policies", wanted.policies);
  await restore("queue", "queues", wanted.queues);
  const bound = new Set((await list<Binding>(`bindings/${host}`)).map(textOf));
  for (const binding of wanted.bindings) {
    if (bound.has(textOf(binding))) continue;
    const ends = `e/${encodeURIComponent(binding.source)}/q/${encodeURIComponent(binding.destination)}`;
    const { routing_key, arguments: given } = binding;
    await call("POST", `/api/bindings/${host}/${ends}`, { routing_key, arguments: given });
    created.push(`binding ${textOf(binding)}`);
  }
  return created;
}

function textOf({ source, destination, routing_key }: Binding): string {
  return `${source} -> ${destination}${routing_key && ` by ${routing_key}`}`;
}

async function read<T>(call: ManagementCall, path: string): Promise<T> {
  const response = await call("GET", path);
  if (!response) throw new Error(`the broker has nothing at ${path}`);
  return (await response.json()) as T;
}
