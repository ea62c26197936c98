import { EventEmitter, on, once } from "node:events";
import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { systemClock } from "@settle/chassis/base/clock";
import { newId } from "@settle/chassis/base/new-id";
import { readDescriptors } from "@settle/chassis/contract/descriptors";
import { refuse } from "@settle/chassis/contract/errors";
import { createPage } from "@settle/chassis/docs/page";
import { createTokenVerifier } from "@settle/chassis/identity/token-verifier";
import { createHealth } from "@settle/chassis/rpc/health";
import { createRpcServer, type RpcServer } from "@settle/chassis/rpc/rpc-server";
import { testLog } from "@settle/chassis/testing";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import {
  OrdersService,
  type WatchOrdersResponseSchema,
} from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import type { EdgeAuth } from "../render.ts";

/** Order ids that select the behaviour of `GetOrder` of the orders upstream. */
export const orderIds = {
  known: "0190a7e4-0000-7000-8000-000000000001",
  missing: "0190a7e4-0000-7000-8000-000000000002",
  /** Never gets a response. */
  slow: "0190a7e4-0000-7000-8000-000000000003",
};
/** The revision of every order: too large for a JSON number. */
export const largeRevision = 9_007_199_254_740_993n;
/** Every time in an answer, as text in JSON. */
export const timeText = "2026-02-13T16:26:40Z";
const time = timestampFromDate(new Date(timeText));
const nothing = { minorUnits: 0n, currency: "EUR" };
const times = { createTime: time, updateTime: time };
/** A watch after this revision gets endless orders of 5 kB, as fast as it reads them. */
export const floodRevision = 1_000_000n;
/** A document of 4 MiB, which fits into no buffer. */
export const largePage = "/swagger/large";
/** A user who has reached the limits of watches and of waiting reads. */
export const busyUser = "busy";

export type WatchAnswer = MessageInitShape<typeof WatchOrdersResponseSchema>;

/** A service as Envoy sees it, on a port that stays the same after a restart. */
export type Upstream = AsyncDisposable & {
  readonly port: number;
  /** The headers of the calls that reached a handler. */
  readonly seen: readonly Headers[];
  /** The tokens of all calls that reached the service, accepted or not. */
  readonly tokens: readonly (string | null | undefined)[];
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Orders whose watches the test controls. Each starts with a heartbeat. */
export type OrdersUpstream = Upstream & {
  /** The number of open watches. */
  readonly watching: number;
  /** The number of orders sent after {@link floodRevision} so far. */
  readonly flooded: number;
  /** Sends a message to all watches. */
  send(answer: WatchAnswer): void;
  /** Ends all watches, normally or with this error. */
  endWatches(error?: Error): void;
};

/** Orders that stores nothing and responds from the request. */
export function createOrdersUpstream(port: number, auth: EdgeAuth): OrdersUpstream {
  const feed = new EventEmitter().setMaxListeners(0);
  let flooded = 0;
  const order = (userId: string) => ({
    id: orderIds.known,
    userId,
    amount: nothing,
    refundedAmount: nothing,
    status: OrderStatus.PENDING_PAYMENT,
    revision: largeRevision,
    ...times,
  });
  const upstream = createUpstream(port, auth, OrdersService, (see) => ({
    createOrder: ({ userId, amount, description }, context) => {
      see(context);
      return { ...order(userId), ...(amount && { amount }), description };
    },
    getOrder: async ({ userId, orderId }, context) => {
      see(context);
      if (orderId === orderIds.missing) {
        throw refuse(Code.NotFound, ErrorReason.ORDER_NOT_FOUND, "no such order");
      }
      if (userId === busyUser) {
        throw refuse(Code.ResourceExhausted, ErrorReason.OVERLOADED, "too many calls are waiting");
      }
      if (orderId === orderIds.slow) await once(context.signal, "abort");
      return order(userId);
    },
    listOrders: ({ userId, pageSize, pageToken }, context) => {
      see(context);
      const description = "\u0001".repeat(1_000);
      const orders = Array.from({ length: pageSize }, () => ({ ...order(userId), description }));
      return { orders, nextPageToken: pageToken };
    },
    cancelOrder: ({ userId, orderId }, context) => {
      see(context);
      return { ...order(userId), id: orderId, status: OrderStatus.CANCELLED };
    },
    async *watchOrders({ userId, afterRevision }, context) {
      see(context);
      if (userId === busyUser) {
        throw refuse(Code.ResourceExhausted, ErrorReason.TOO_MANY_STREAMS, "too many streams");
      }
      const { signal } = context;
      const sent: AsyncIterable<WatchAnswer[]> = on(feed, "answer", { signal, close: ["end"] });
      yield { revision: afterRevision, event: { case: "heartbeat", value: {} } };
      const description = "x".repeat(5_000);
      while (afterRevision === floodRevision) {
        flooded += 1;
        yield { event: { case: "order", value: { ...order(userId), description } } };
      }
      for await (const [answer = {}] of sent) yield answer;
    },
  }));
  return {
    ...upstream,
    get watching() {
      return feed.listenerCount("answer");
    },
    get flooded() {
      return flooded;
    },
    send: (answer: WatchAnswer) => void feed.emit("answer", answer),
    endWatches: (error?: Error) => void (error ? feed.emit("error", error) : feed.emit("end")),
  };
}

const payment = { amount: nothing, refundedAmount: nothing, receiveTime: time, decideTime: time };

/** Payments that stores nothing and responds from the request. */
export function createPaymentsUpstream(port: number, auth: EdgeAuth): Upstream {
  return createUpstream(port, auth, PaymentsService, (see) => ({
    createAccount: ({ userId, currency }) => {
      return { userId, balance: { ...nothing, currency }, ...times };
    },
    getAccount: ({ userId }, context) => {
      see(context);
      return { userId, balance: nothing, ...times };
    },
    deposit: ({ userId, amount }) => ({ userId, balance: amount ?? nothing, ...times }),
    listLedgerEntries: () => ({}),
    getPayment: ({ userId, orderId }) => ({ userId, orderId, ...payment }),
    refundPayment: ({ userId, orderId, amount }, context) => {
      see(context);
      return { userId, orderId, ...payment, ...(amount && { refundedAmount: amount }) };
    },
  }));
}

function createUpstream<Service extends DescService>(
  port: number,
  auth: EdgeAuth,
  service: Service,
  implement: (see: (context: HandlerContext) => void) => Partial<ServiceImpl<Service>>,
): Upstream {
  const seen: Headers[] = [];
  const tokens: (string | null | undefined)[] = [];
  // Methods that no test calls can be missing.
  const implementation = implement((context) =>
    seen.push(context.requestHeader),
  ) as ServiceImpl<Service>;
  const verifier = createTokenVerifier({
    auth: { ...auth, userClaim: "sub", scopeClaim: "scope" },
    clock: systemClock,
    log: testLog,
    // An unknown key is fetched at once.
    limits: { cooldownMs: 0 },
  });
  let server: RpcServer | undefined;
  const stop = async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  };
  return {
    port,
    seen,
    tokens,
    async start() {
      const health = createHealth();
      server = createRpcServer({
        services: [{ service, implementation }],
        host: "127.0.0.1",
        port,
        domain: "test.settle",
        verifier: {
          verify(authorization) {
            tokens.push(authorization);
            return verifier.verify(authorization);
          },
        },
        health,
        descriptors: await readDescriptors(),
        pages: new Map([[largePage, createPage("text/plain", Buffer.alloc(4 * 1024 * 1024))]]),
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
