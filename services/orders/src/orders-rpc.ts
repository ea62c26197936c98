import { create, toBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Clock } from "@settle/chassis/base/clock";
import { refuse, refuseFields, refuseOverQuota } from "@settle/chassis/contract/errors";
import type { Database } from "@settle/chassis/database/database";
import type { Hints } from "@settle/chassis/events/hints";
import type { Outbox } from "@settle/chassis/events/outbox";
import { pageOf, readPage } from "@settle/chassis/rpc/page-token";
import { preferredWaitMs } from "@settle/chassis/rpc/prefer";
import type { Foundations } from "@settle/chassis/service";
import type { Refused } from "@settle/chassis/writes/answer-once";
import { answerOf, keyedCallOf } from "@settle/chassis/writes/keyed-call";
import { createTransactionBatcher } from "@settle/chassis/writes/transaction-batcher";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { currencyOf, currencyRule } from "@settle/gen/money/v1/currencies";
import {
  CancelOrderRequestSchema,
  CreateOrderRequestSchema,
  type ListOrdersRequest,
  ListOrdersRequestSchema,
  ListOrdersResponseSchema,
  OrdersService,
} from "@settle/gen/orders/v1/orders_service_pb";
import { type CancelCall, type Cancellation, cancelOrders } from "./cancel-orders.ts";
import { createOrders, type OrderCreation } from "./create-orders.ts";
import { listOrders } from "./list-orders.ts";
import { OrderEntity, orderMessage } from "./order.entity.ts";
import { defaultOrderLimits, type OrderLimits } from "./order-limits.ts";
import { createOrderWatch } from "./order-watch.ts";
import { createPendingQuota, pendingOrders, recountMs } from "./pending-quota.ts";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** About how many bytes an order has as protobuf, without its description. */
const usualOrderBytes = 160;

/**
 * The handlers of orders.v1.OrdersService. They run after the checks that every call goes through.
 * Disposing lets waiting calls finish.
 */
export function createOrdersRpc(options: {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly hints: Hints;
  readonly clock: Clock;
  readonly log: Foundations["log"];
  readonly newId: () => string;
  /** How long an order may stay unpaid if its request does not say; default: without limit. */
  readonly expireAfterMs?: number | undefined;
  /** Default: {@link defaultOrderLimits}. */
  readonly limits?: OrderLimits;
}): AsyncDisposable & { readonly implementation: ServiceImpl<typeof OrdersService> } {
  const { database, outbox, hints, clock, newId, expireAfterMs } = options;
  const { log, limits = defaultOrderLimits } = options;
  const means = { outbox, hints };
  const batching = {
    database,
    userOf: ({ userId }: { readonly userId: string }) => userId,
    usersTable: "user_revisions",
  };
  const creations = createTransactionBatcher({
    ...batching,
    kind: OrdersService.method.createOrder.name,
    run: (transaction, batch: readonly OrderCreation[]) => createOrders(transaction, means, batch),
  });
  const cancellations = createTransactionBatcher({
    ...batching,
    kind: OrdersService.method.cancelOrder.name,
    run: (transaction, batch: readonly CancelCall[]) =>
      cancelOrders(transaction, means, batch, new Date(clock.nowMs())),
  });
  const watch = createOrderWatch({ database, hints, clock, log, limits });
  const pending = createPendingQuota({ database, clock, log, max: limits.pendingPerUser });

  const implementation: ServiceImpl<typeof OrdersService> = {
    async createOrder(request, context) {
      // A withdrawn code passes: accounts in it can still pay.
      if (!currencyOf(request.amount?.currency ?? "")) {
        throw refuseFields([{ field: "amount.currency", description: currencyRule }]);
      }
      if (outbox.full) throw overloaded();
      const { userId, amount, description, expireAfter } = request;
      const nowMs = clock.nowMs();
      const waitingMs = expireAfter ? durationMs(expireAfter) : expireAfterMs;
      const creation: OrderCreation = {
        call: keyedCallOf(context, { schema: CreateOrderRequestSchema, request, newId }),
        userId,
        withinQuota: await pending.take(userId),
        orderId: newId(),
        eventId: newId(),
        amountMinor: amount?.minorUnits ?? 0n,
        currency: amount?.currency ?? "",
        description,
        createTime: new Date(nowMs),
        expireTime: waitingMs === undefined ? null : new Date(nowMs + waitingMs),
      };
      const waitMs = preferredWaitMs(context, watch.mayWait(userId));
      // Listens before the order exists, so that no change to it is missed.
      using listener = waitMs > 0 ? watch.listen(userId) : undefined;
      const outcome = await creations.submit(creation, context);
      const order = answerOf(outcome, context, () => overQuota(limits.pendingPerUser));
      if (!listener) return order;
      const isReplay = "replayed" in outcome && outcome.replayed;
      const { signal } = context;
      const known = isReplay ? await watch.latest(order, signal) : order;
      return await watch.settled(known, { listener, waitMs, signal });
    },

    async cancelOrder(request, context) {
      if (outbox.full) throw overloaded();
      const { userId } = request;
      const call = keyedCallOf(context, { schema: CancelOrderRequestSchema, request, newId });
      // PostgreSQL accepts UUIDs in upper case, but returns them in lower case.
      const orderId = request.orderId.toLowerCase();
      const cancellation = { call, userId, orderId, eventId: newId() };
      const outcome = await cancellations.submit(cancellation, context);
      return answerOf(outcome, context, (reason, metadata) => refusal(reason, request, metadata));
    },

    async getOrder(request) {
      const { userId, orderId } = request;
      const order = await database.entities().findOne(OrderEntity, { id: orderId, userId });
      if (!order) throw refusal(ErrorReason.ORDER_NOT_FOUND, request);
      return orderMessage(order);
    },

    watchOrders: ({ userId, afterRevision }, { signal }) =>
      watch.watch(userId, afterRevision, signal),

    async listOrders(request) {
      const scope = listScopeOf(request);
      const page = readPage(scope, uuid, request);
      const { messages, nextPageToken } = await pageOf({
        scope,
        page,
        read: (part) => listOrders(database, request, part),
        positionOf: ({ id }) => id,
        messageOf: orderMessage,
        bytesOf: ({ description }) => usualOrderBytes + Buffer.byteLength(description),
      });
      return create(ListOrdersResponseSchema, { orders: messages, nextPageToken });
    },
  };
  return {
    implementation,
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [creations, cancellations, watch, pending].map((part) => part[Symbol.asyncDispose]()),
      );
    },
  };
}

/** Everything that determines the pages of a list, so that a page token fits no other list. */
function listScopeOf(request: ListOrdersRequest): string {
  const list = toBinary(ListOrdersRequestSchema, { ...request, pageSize: 0, pageToken: "" });
  return `${OrdersService.method.listOrders.name} ${Buffer.from(list).toString("base64")}`;
}

function refusal(
  reason: ErrorReason,
  { userId, orderId }: Pick<Cancellation, "userId" | "orderId">,
  metadata: Refused["metadata"] = {},
): ConnectError {
  switch (reason) {
    case ErrorReason.ORDER_NOT_FOUND:
      return refuse(Code.NotFound, reason, `user ${userId} has no order ${orderId}`);
    case ErrorReason.ORDER_NOT_CANCELLABLE:
      return refuse(
        Code.FailedPrecondition,
        reason,
        `order ${orderId} can no longer be cancelled: its status is ${metadata.status}`,
        { metadata },
      );
    default:
      throw new Error(`no error is defined for reason ${reason}`);
  }
}

const overQuota = (limit: number) =>
  refuseOverQuota(
    { quota: pendingOrders, limit, retryAfterMs: recountMs },
    `a user may have ${limit} orders whose payment is pending`,
  );

const overloaded = () =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.OVERLOADED,
    "too many events are waiting to be published; try again later",
  );
