import assert from "node:assert/strict";
import { type DescMessage, getOption, hasOption } from "@bufbuild/protobuf";
import { route } from "@settle/gen/topology/v1/route_pb";

/** From whom to whom an event goes, by the names of services. */
export type EventRoute = { readonly from: string; readonly to: readonly string[] };

/** Reads what the contract says of `event`; undefined for a message that is no event. */
export function routeOf(event: DescMessage): EventRoute | undefined {
  return hasOption(event, route) ? getOption(event, route) : undefined;
}

/** Returns the type names of those of `events` that `service` acts on, by who publishes them. */
export function subscriptionsOf(
  service: string,
  events: readonly DescMessage[],
): Readonly<Record<string, readonly string[]>> {
  const subscriptions: Record<string, string[]> = {};
  for (const event of events) {
    const { from, to } = routeOf(event) ?? { from: "", to: [] };
    if (to.includes(service)) {
      subscriptions[from] = [...(subscriptions[from] ?? []), event.typeName];
    }
  }
  return subscriptions;
}

/** Asserts that the contract has each of `events` go to `service`, which else would never get it. */
export function assertRouted(service: string, events: readonly DescMessage[]): void {
  for (const event of events) {
    const isRouted = routeOf(event)?.to.includes(service);
    assert(isRouted, `the contract does not route ${event.typeName} to ${service}`);
  }
}
