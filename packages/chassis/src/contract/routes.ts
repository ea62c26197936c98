import assert from "node:assert/strict";
import { type DescMessage, getOption, hasOption } from "@bufbuild/protobuf";
import { route } from "@settle/gen/topology/v1/route_pb";

/**
 * The services that publish and consume an event, by name. The publisher waits for the consumers in
 * `to` and never for those in `alsoTo`; see topology/v1/route.proto.
 */
export type EventRoute = {
  readonly from: string;
  readonly to: readonly string[];
  readonly alsoTo: readonly string[];
};

/**
 * The events that a service publishes, by type name. An event is mandatory if its publisher waits
 * for a consumer: it then counts as published only once a queue has it.
 */
export type Publications = ReadonlyMap<
  string,
  { readonly schema: DescMessage; readonly isMandatory: boolean }
>;

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
    if (!isRouted(service, event)) continue;
    const { from = "" } = routeOf(event) ?? {};
    subscriptions[from] = [...(subscriptions[from] ?? []), event.typeName];
  }
  return subscriptions;
}

/**
 * Returns whether the publisher of any of `events` waits for `service`. The queue of such a service
 * refuses messages when it is full; that of any other service drops its oldest messages.
 */
export function isWaitedFor(service: string, events: readonly DescMessage[]): boolean {
  return events.some((event) => routeOf(event)?.to.includes(service));
}

/** Asserts that the contract routes each of `events` to `service`; otherwise none would arrive. */
export function assertRouted(service: string, events: readonly DescMessage[]): void {
  for (const event of events) {
    assert(isRouted(service, event), `the contract does not route ${event.typeName} to ${service}`);
  }
}

/**
 * Returns how `service` publishes each of `events`. Asserts that the contract names it as their
 * publisher: on the exchange of another service, they would reach no consumer.
 */
export function publicationsOf(service: string, events: readonly DescMessage[]): Publications {
  return new Map(
    events.map((event) => {
      const { from, to } = routeOf(event) ?? {};
      assert(from === service, `the contract does not let ${service} publish ${event.typeName}`);
      return [event.typeName, { schema: event, isMandatory: to !== undefined && to.length > 0 }];
    }),
  );
}

function isRouted(service: string, event: DescMessage): boolean {
  const { to = [], alsoTo = [] } = routeOf(event) ?? {};
  return to.includes(service) || alsoTo.includes(service);
}
