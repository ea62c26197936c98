import { isWaitedFor, subscriptionsOf } from "@settle/chassis/contract/routes";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { perService, type ServiceName, serviceNames } from "../../services/services.ts";

const { messages: events } = file_events_v1_events;

/**
 * The events that each service consumes, by publisher, from the routes in the contract.
 */
export const subscriptions = perService((name) => subscriptionsOf(name, events));

/** The services that no publisher waits for. */
export const notWaitedFor: readonly ServiceName[] = serviceNames.filter(
  (name) => !isWaitedFor(name, events),
);
