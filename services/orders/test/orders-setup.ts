import {
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  createContextValues,
  createHandlerContext,
  type HandlerContext,
} from "@connectrpc/connect";
import { noFaults } from "@settle/chassis/base/faults";
import { newId } from "@settle/chassis/base/new-id";
import type { Broker } from "@settle/chassis/broker/broker";
import { publicationsOf } from "@settle/chassis/contract/routes";
import { createHints } from "@settle/chassis/events/hints";
import { maintainInbox } from "@settle/chassis/events/inbox";
import { createOutbox } from "@settle/chassis/events/outbox";
import { principalKey } from "@settle/chassis/identity/principal";
import { countStatements, createTestDatabase, testClock, testLog } from "@settle/chassis/testing";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
} from "@settle/gen/events/v1/events_pb";
import type { Order } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { createOrdersDatabase } from "../src/database.ts";
import { defaultOrderLimits, type OrderLimits } from "../src/order-limits.ts";
import { createOrdersRpc } from "../src/orders-rpc.ts";

const noBroker: Broker = {
  publisher: { ready: false, publish: async () => "unknown", onReady: () => () => {} },
  counts: { confirmed: 0, returned: 0, nacked: 0, unknown: 0, closedChannels: 0 },
  subscribe: () => ({
    consuming: false,
    pause: async () => {},
    resume: () => {},
    [Symbol.asyncDispose]: async () => {},
  }),
  countQueues: async () => [],
  [Symbol.asyncDispose]: async () => {},
};

/** The calls of orders on a database of their own, without a broker and without validation. */
export async function setupOrders(changedLimits: Partial<OrderLimits> = {}) {
  await using setup = new AsyncDisposableStack();
  const { url } = setup.use(await createTestDatabase("orders"));
  const options = { clock: testClock, log: testLog, faults: noFaults };
  const database = countStatements(setup.use(createOrdersDatabase({ url, ...options })));
  await database.migrate();
  await maintainInbox(database, testClock);
  const outbox = setup.use(
    createOutbox({
      ...options,
      database,
      publisher: noBroker.publisher,
      exchange: "orders.events",
      publications: publicationsOf("orders", [OrderCreatedEventSchema, OrderCancelledEventSchema]),
      maxDepth: 1_000_000,
      batches: "on",
      newId,
    }),
  );
  const hints = setup.use(createHints({ ...options, broker: noBroker, exchange: "orders.hints" }));
  const limits = { ...defaultOrderLimits, ...changedLimits };
  const { implementation } = setup.use(
    createOrdersRpc({ ...options, database, outbox, hints, newId, limits }),
  );

  const { method } = OrdersService;
  const createOrder = async (
    userId: string,
    description: string,
    options: { amountMinor?: bigint; context?: HandlerContext; expireAfterMs?: number } = {},
  ): Promise<Order> => {
    const { amountMinor = 1n, context, expireAfterMs } = options;
    const request = create(method.createOrder.input, {
      userId,
      amount: { minorUnits: amountMinor, currency: "EUR" },
      description,
      ...(expireAfterMs !== undefined && {
        expireAfter: { seconds: BigInt(expireAfterMs / 1_000) },
      }),
    });
    const calling = context ?? contextOf(method.createOrder, userId);
    return (await implementation.createOrder(request, calling)) as Order;
  };
  const cancelOrder = async (userId: string, orderId: string): Promise<Order> =>
    (await implementation.cancelOrder(
      create(method.cancelOrder.input, { userId, orderId }),
      contextOf(method.cancelOrder, userId),
    )) as Order;
  /** The answers of a watch until it is left; `signal` ends it. */
  const watchOrders = (userId: string, signal: AbortSignal, afterRevision = 0n) =>
    implementation.watchOrders(
      create(method.watchOrders.input, { userId, afterRevision }),
      contextOf(method.watchOrders, userId, { signal }),
    ) as AsyncIterable<MessageInitShape<typeof method.watchOrders.output>>;

  const running = setup.move();
  return {
    url,
    database,
    outbox,
    hints,
    /** Any call, by request and {@link contextOf}. */
    implementation,
    createOrder,
    cancelOrder,
    watchOrders,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export type OrdersSetup = Awaited<ReturnType<typeof setupOrders>>;

/** The context of a call by this user. */
export function contextOf(
  method: DescMethod,
  userId: string,
  options: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
): HandlerContext {
  const caller = { userId, scopes: new Set<string>(), expireTimeMs: Number.MAX_SAFE_INTEGER };
  return createHandlerContext({
    service: method.parent,
    method,
    protocolName: "test",
    requestMethod: "POST",
    url: "http://127.0.0.1/",
    requestHeader: options.headers ?? {},
    ...(options.signal && { requestSignal: options.signal }),
    contextValues: createContextValues().set(principalKey, caller),
  });
}

/** The message of an event under a new id. */
export function messageOf<Schema extends DescMessage>(
  schema: Schema,
  event: MessageInitShape<Schema>,
): { id: string; receiveTimeMs: number; event: MessageShape<Schema> } {
  return { id: newId(), receiveTimeMs: Date.now(), event: create(schema, event) };
}
