import {
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";

/** The events of other services that orders handles, by the service that publishes them. */
export const subscriptions = {
  payments: [PaymentResultEventSchema.typeName, PaymentRefundedEventSchema.typeName],
};
