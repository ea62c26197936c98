import { subscriptionsOf } from "@settle/chassis/contract/routes";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";

/** The events of other services that orders handles, by the service that publishes them. */
export const subscriptions = subscriptionsOf("orders", file_events_v1_events.messages);
