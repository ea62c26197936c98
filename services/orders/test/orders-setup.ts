import { create } from "@bufbuild/protobuf";
import { createHandlerContext } from "@connectrpc/connect";
import { systemClock } from "@settle/chassis/clock";
import { noFaults } from "@settle/chassis/faults";
import { maintainInbox } from "@settle/chassis/inbox";
import { newId } from "@settle/chassis/new-id";
import { createOutbox } from "@settle/chassis/outbox";
import { countStatements, createTestDatabase, testLog } from "@settle/chassis/testing";
import type { Order } from "@settle/gen/orders/v1/order_pb";
import { CreateOrderRequestSchema, OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { createOrdersDatabase } from "../src/database.ts";
import { createOrdersRpc } from "../src/orders-rpc.ts";

/** The calls of orders on a database of their own, without a broker and without validation. */
export async function setupOrders() {
  await using setup = new AsyncDisposableStack();
  const { url } = setup.use(await createTestDatabase("orders"));
  const options = { clock: systemClock, log: testLog, faults: noFaults };
  const database = countStatements(setup.use(createOrdersDatabase({ url, ...options })));
  await database.migrate();
  await maintainInbox(database);
  const outbox = setup.use(
    createOutbox({
      ...options,
      database,
      publisher: { ready: false, publish: async () => "unknown", onReady: () => () => {} },
      exchange: "orders.events",
      maxDepth: 10_000,
    }),
  );
  const rpc = setup.use(createOrdersRpc({ database, outbox, clock: systemClock, newId }));
  const createOrder = async (userId: string, description: string): Promise<Order> => {
    const amount = { minorUnits: 1n, currency: "EUR" };
    const request = create(CreateOrderRequestSchema, { userId, amount, description });
    const method = OrdersService.method.createOrder;
    const context = createHandlerContext({
      service: OrdersService,
      method,
      protocolName: "test",
      requestMethod: "POST",
      url: "http://127.0.0.1/",
    });
    return (await rpc.implementation.createOrder(request, context)) as Order;
  };
  const running = setup.move();
  return { database, outbox, createOrder, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
