import type { DescService } from "@bufbuild/protobuf";
import { Code, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { systemClock } from "@settle/chassis/clock";
import { readDescriptors } from "@settle/chassis/descriptors";
import { refuse } from "@settle/chassis/errors";
import { createHealth } from "@settle/chassis/health";
import { newId } from "@settle/chassis/new-id";
import { createRpcServer, type RpcServer } from "@settle/chassis/rpc-server";
import { testLog } from "@settle/chassis/testing";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";

/** Ids by which `GetOrder` of the orders upstream chooses what to do. */
export const orderIds = {
  known: "0190a7e4-0000-7000-8000-000000000001",
  missing: "0190a7e4-0000-7000-8000-000000000002",
  /** Never answered. */
  slow: "0190a7e4-0000-7000-8000-000000000003",
};
/** The revision of every order: more than a JSON number holds. */
export const largeRevision = 9_007_199_254_740_993n;

/** A service as Envoy sees one, on a port that stays the same when it is started again. */
export type Upstream = AsyncDisposable & {
  readonly port: number;
  /** The headers of the calls that reached a handler. */
  readonly seen: readonly Headers[];
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Orders that keeps nothing and answers from the request. */
export function createOrdersUpstream(port: number): Upstream {
  const order = (userId: string) => ({
    id: orderIds.known,
    userId,
    status: OrderStatus.PENDING_PAYMENT,
    revision: largeRevision,
  });
  return createUpstream(port, OrdersService, (see) => ({
    createOrder: ({ userId, amount, description }, context) => {
      see(context);
      return { ...order(userId), ...(amount && { amount }), description };
    },
    getOrder: async ({ userId, orderId }, context) => {
      see(context);
      if (orderId === orderIds.missing) {
        throw refuse(Code.NotFound, ErrorReason.ORDER_NOT_FOUND, "no such order");
      }
      if (orderId === orderIds.slow) await new Promise(() => {});
      return order(userId);
    },
    listOrders: ({ userId, pageSize, pageToken }, context) => {
      see(context);
      const description = "\u0001".repeat(1_000);
      const orders = Array.from({ length: pageSize }, () => ({ ...order(userId), description }));
      return { orders, nextPageToken: pageToken };
    },
  }));
}

/** Payments that keeps nothing and answers from the request. */
export function createPaymentsUpstream(port: number): Upstream {
  return createUpstream(port, PaymentsService, (see) => ({
    createAccount: ({ userId, currency }) => ({ userId, balance: { minorUnits: 0n, currency } }),
    getAccount: ({ userId }, context) => {
      see(context);
      return { userId, balance: { minorUnits: 0n, currency: "EUR" } };
    },
    deposit: ({ userId, amount }) => ({ userId, ...(amount && { balance: amount }) }),
    listLedgerEntries: () => ({}),
    getPayment: ({ userId, orderId }) => ({ userId, orderId }),
  }));
}

function createUpstream<Service extends DescService>(
  port: number,
  service: Service,
  implement: (see: (context: HandlerContext) => void) => ServiceImpl<Service>,
): Upstream {
  const seen: Headers[] = [];
  const implementation = implement((context) => seen.push(context.requestHeader));
  let server: RpcServer | undefined;
  const stop = async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  };
  return {
    port,
    seen,
    async start() {
      const health = createHealth();
      server = createRpcServer({
        services: [{ service, implementation }],
        host: "127.0.0.1",
        port,
        domain: "test.settle",
        health,
        descriptors: await readDescriptors(),
        limits: { drainMs: 0, abortAfterMs: 0, cutAfterMs: 100 },
        clock: systemClock,
        newId,
        log: testLog,
      });
      await server.listen();
      health.setServing(true);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
