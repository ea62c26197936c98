import { isWaitedFor, subscriptionsOf } from "@settle/chassis/contract/routes";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { perService, type ServiceName, serviceNames } from "../../services/services.ts";

const { messages: events } = file_events_v1_events;

/**
 * The events that go to each service, by the service that publishes them, as the contract routes
 * them.
 */
export const subscriptions = perService((name) => subscriptionsOf(name, events));

/** The services for which no publisher waits. */
export const notWaitedFor: readonly ServiceName[] = serviceNames.filter(
  (name) => !isWaitedFor(name, events),
);
