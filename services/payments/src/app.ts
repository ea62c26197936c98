import { type RunningService, type Surroundings, startService } from "@settle/chassis/service";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { PaymentsOpsService } from "@settle/gen/payments/ops/v1/payments_ops_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import type { PaymentsConfig } from "./config.ts";
import { createPaymentsDatabase } from "./database.ts";
import { handleOrderEvents } from "./order-events.ts";
import { createPaymentsRpc } from "./payments-rpc.ts";

/** Starts payments; see {@link startService}. */
export function startPayments(
  config: PaymentsConfig,
  surroundings: Surroundings,
): Promise<RunningService> {
  const { defaultCurrency, selfDeposit } = config;
  return startService({
    ...surroundings,
    name: "payments",
    config,
    createDatabase: createPaymentsDatabase,
    service: PaymentsService,
    noOwners: new Set(selfDeposit ? [] : [PaymentsService.method.deposit]),
    createRpc: (foundations) => createPaymentsRpc({ ...foundations, defaultCurrency }),
    ops: { service: PaymentsOpsService },
    publishes: [PaymentResultEventSchema, PaymentRefundedEventSchema],
    schemas: [OrderCreatedEventSchema, OrderCancelledEventSchema],
    createHandler: handleOrderEvents,
    userOf: ({ userId }) => userId,
    usersTable: "accounts",
  });
}
