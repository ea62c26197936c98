import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
} from "@settle/gen/events/v1/events_pb";

/** The events of other services that payments handles, by the service that publishes them. */
export const subscriptions = {
  orders: [OrderCreatedEventSchema.typeName, OrderCancelledEventSchema.typeName],
};
