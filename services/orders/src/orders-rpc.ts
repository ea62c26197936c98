import { create, toBinary } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { FilterQuery } from "@mikro-orm/core";
import type { Clock } from "@settle/chassis/clock";
import type { Database } from "@settle/chassis/database";
import { refuse } from "@settle/chassis/errors";
import { answerOf, keyedCallOf } from "@settle/chassis/keyed-call";
import type { Outbox } from "@settle/chassis/outbox";
import { pageOf, readPage } from "@settle/chassis/page-token";
import { createTransactionBatcher } from "@settle/chassis/transaction-batcher";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import {
  CreateOrderRequestSchema,
  type ListOrdersRequest,
  ListOrdersRequestSchema,
  ListOrdersResponseSchema,
  OrdersService,
} from "@settle/gen/orders/v1/orders_service_pb";
import { createOrders, type OrderCreation } from "./create-orders.ts";
import { OrderEntity, orderMessage } from "./order.entity.ts";

/**
 * The calls of orders.v1.OrdersService, behind the checks every call goes through. Disposing
 * finishes the calls that wait.
 */
export function createOrdersRpc(options: {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly newId: () => string;
}): AsyncDisposable & { readonly implementation: ServiceImpl<typeof OrdersService> } {
  const { database, outbox, clock, newId } = options;
  const creations = createTransactionBatcher({
    database,
    run: (transaction, batch: readonly OrderCreation[]) => createOrders(transaction, outbox, batch),
  });

  const implementation: ServiceImpl<typeof OrdersService> = {
    async createOrder(request, context) {
      if (outbox.full) throw refusal(ErrorReason.OVERLOADED);
      const { userId, amount, description } = request;
      const creation: OrderCreation = {
        call: keyedCallOf(context, { userId, schema: CreateOrderRequestSchema, request, newId }),
        orderId: newId(),
        eventId: newId(),
        amountMinor: amount?.minorUnits ?? 0n,
        currency: amount?.currency ?? "",
        description,
        createTime: new Date(clock.nowMs()),
      };
      return answerOf(await creations.submit(creation, context), context, refusal);
    },

    async getOrder({ userId, orderId }) {
      const order = await database.entities().findOne(OrderEntity, { id: orderId, userId });
      if (!order) {
        throw refuse(
          Code.NotFound,
          ErrorReason.ORDER_NOT_FOUND,
          `user ${userId} has no order ${orderId}`,
        );
      }
      return orderMessage(order);
    },

    async listOrders(request) {
      const scope = listScopeOf(request);
      const { limit, after } = readPage(scope, /^[0-9a-f-]{36}$/, request);
      const found = await database
        .entities()
        .find(
          OrderEntity,
          { $and: [filterOf(request), after === undefined ? {} : { id: { $lt: after } }] },
          { orderBy: { id: "desc" }, limit: limit + 1 },
        );
      const { items, nextPageToken } = pageOf(scope, limit, found, ({ id }) => id);
      return create(ListOrdersResponseSchema, { orders: items.map(orderMessage), nextPageToken });
    },
  };
  return { implementation, [Symbol.asyncDispose]: () => creations[Symbol.asyncDispose]() };
}

function filterOf(request: ListOrdersRequest): FilterQuery<OrderEntity> {
  const { userId, status, createdAfter, createdBefore } = request;
  const createTime = {
    ...(createdAfter && { $gt: timestampDate(createdAfter) }),
    ...(createdBefore && { $lt: timestampDate(createdBefore) }),
  };
  return {
    userId,
    ...(status !== OrderStatus.UNSPECIFIED && { status }),
    ...((createdAfter || createdBefore) && { createTime }),
  };
}

/** Everything that the pages of a list depend on, so that a token fits no other list. */
function listScopeOf(request: ListOrdersRequest): string {
  const list = toBinary(ListOrdersRequestSchema, { ...request, pageSize: 0, pageToken: "" });
  return `${OrdersService.method.listOrders.name} ${Buffer.from(list).toString("base64")}`;
}

function refusal(reason: ErrorReason): ConnectError {
  if (reason !== ErrorReason.OVERLOADED)
    throw new Error(`no refusal is known for reason ${reason}`);
  return refuse(
    Code.ResourceExhausted,
    reason,
    "too many orders wait to be announced; try again later",
  );
}
