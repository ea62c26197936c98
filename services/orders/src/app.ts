import { type RunningService, type Surroundings, startService } from "@settle/chassis/service";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { OrdersOpsService } from "@settle/gen/orders/ops/v1/orders_ops_service_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { startAnnouncingAgain } from "./announce-again.ts";
import type { OrdersConfig } from "./config.ts";
import { createOrdersDatabase } from "./database.ts";
import { startExpiringOrders } from "./expire-orders.ts";
import { createOrdersRpc } from "./orders-rpc.ts";
import { settleOrders } from "./payment-events.ts";

/** Starts orders; see {@link startService}. */
export function startOrders(
  config: OrdersConfig,
  surroundings: Surroundings,
): Promise<RunningService> {
  return startService({
    ...surroundings,
    name: "orders",
    config,
    createDatabase: createOrdersDatabase,
    service: OrdersService,
    createRpc: (foundations) => createOrdersRpc({ ...foundations, ...config }),
    ops: { service: OrdersOpsService },
    publishes: [OrderCreatedEventSchema, OrderCancelledEventSchema],
    schemas: [PaymentResultEventSchema, PaymentRefundedEventSchema],
    createHandler: settleOrders,
    userOf: ({ userId }) => userId,
    usersTable: "user_revisions",
    startLoops: (foundations) => [
      startAnnouncingAgain(foundations, config.repairAfterMs),
      startExpiringOrders(foundations),
    ],
  });
}
