import assert from "node:assert/strict";
import { type DescMessage, getOption, hasOption } from "@bufbuild/protobuf";
import { route } from "@settle/gen/topology/v1/route_pb";

/** The services that publish and consume an event, by name. */
export type EventRoute = { readonly from: string; readonly to: readonly string[] };

/** Returns the route of `event` in the contract; undefined for a message that is not an event. */
export function routeOf(event: DescMessage): EventRoute | undefined {
  return hasOption(event, route) ? getOption(event, route) : undefined;
}

/** Returns the type names of those of `events` that `service` consumes, by publishing service. */
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

/** Asserts that the contract routes each of `events` to `service`; otherwise none would arrive. */
export function assertRouted(service: string, events: readonly DescMessage[]): void {
  for (const event of events) {
    const isRouted = routeOf(event)?.to.includes(service);
    assert(isRouted, `the contract does not route ${event.typeName} to ${service}`);
  }
}
