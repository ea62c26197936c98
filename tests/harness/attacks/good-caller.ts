import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { create, fromJsonString } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { OrderSchema } from "@settle/gen/orders/v1/order_pb";
import {
  OrdersService,
  type WatchOrdersResponse,
  WatchOrdersResponseSchema,
} from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import type { User } from "./attack.ts";

const host = "127.0.0.1";
const listPageSize = 20;
/** The longest deadline that services allow. */
const callTimeoutMs = 15_000;
export const currency = "EUR";

export const protocols = ["REST", "gRPC", "Connect"] as const;
export type Protocol = (typeof protocols)[number];

/**
 * Makes ordinary calls by one protocol, without retries, with a deadline of 15 s. Each rejects unless
 * it succeeds. Disposing closes its connections.
 */
export type GoodCaller = Disposable & {
  /** Places an order and returns its id. */
  create(user: User, amountMinor: number, description: string): Promise<string>;
  get(user: User, orderId: string): Promise<void>;
  /** Lists the user's newest 20 orders. */
  list(user: User): Promise<void>;
  balance(user: User): Promise<void>;
  watch(user: User, afterRevision: bigint, signal: AbortSignal): AsyncIterable<WatchOrdersResponse>;
};

/** Creates a caller whose connections come from `address` on loopback. */
export function createGoodCaller(
  protocol: Protocol,
  from: { readonly port: number; readonly address: string },
): GoodCaller {
  const baseUrl = `http://${host}:${from.port}`;
  // The types know only options of the session, but those of its socket work as well.
  const nodeOptions: object = { localAddress: from.address };
  if (protocol === "gRPC") {
    const sessionManager = new Http2SessionManager(baseUrl, {}, nodeOptions);
    const transport = createGrpcTransport({ baseUrl, sessionManager });
    return byTransport(transport, () => sessionManager.abort());
  }
  const agent = new Agent({ keepAlive: true, ...nodeOptions });
  if (protocol === "REST") return byRest(from.port, agent);
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions: { agent } });
  return byTransport(transport, () => agent.destroy());
}

function byTransport(transport: Transport, close: () => void): GoodCaller {
  const orders = createClient(OrdersService, transport);
  const payments = createClient(PaymentsService, transport);
  const headersOf = ({ authorization }: User) => ({ headers: { authorization } });
  const optionsOf = (user: User) => ({ ...headersOf(user), timeoutMs: callTimeoutMs });
  return {
    async create(user, amountMinor, description) {
      const amount = { minorUnits: BigInt(amountMinor), currency };
      const asked = { userId: user.userId, amount, description };
      return (await orders.createOrder(asked, optionsOf(user))).id;
    },
    async get(user, orderId) {
      await orders.getOrder({ userId: user.userId, orderId }, optionsOf(user));
    },
    async list(user) {
      const asked = { userId: user.userId, pageSize: listPageSize };
      await orders.listOrders(asked, optionsOf(user));
    },
    async balance(user) {
      await payments.getAccount({ userId: user.userId }, optionsOf(user));
    },
    watch: (user, afterRevision, signal) =>
      orders.watchOrders({ userId: user.userId, afterRevision }, { ...headersOf(user), signal }),
    [Symbol.dispose]: close,
  };
}

function byRest(port: number, agent: Agent): GoodCaller {
  const send = (path: string, user: User, signal: AbortSignal, body?: unknown) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { authorization } = user;
      const headers = { authorization, "content-type": "application/json" };
      const method = body === undefined ? "GET" : "POST";
      const sent = request({ host, port, path, agent, method, headers, signal }, resolve);
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const call = async (path: string, user: User, body?: unknown) => {
    const answer = await send(path, user, AbortSignal.timeout(callTimeoutMs), body);
    const json = await text(answer);
    if (answer.statusCode !== 200) throw refusalOf(answer, json);
    return json;
  };
  const ofUser = ({ userId }: User) => `/gateway/orders/${userId}`;
  return {
    async create(user, amountMinor, description) {
      const amount = { minorUnits: String(amountMinor), currency };
      const asked = { userId: user.userId, amount, description };
      const json = await call("/gateway/orders", user, asked);
      return fromJsonString(OrderSchema, json).id;
    },
    async get(user, orderId) {
      await call(`${ofUser(user)}/${orderId}`, user);
    },
    async list(user) {
      await call(`${ofUser(user)}?pageSize=${listPageSize}`, user);
    },
    async balance(user) {
      await call(`/gateway/payments/accounts/${user.userId}`, user);
    },
    async *watch(user, afterRevision, signal) {
      const path = `${ofUser(user)}:watch?afterRevision=${afterRevision}`;
      const answer = await send(path, user, signal);
      if (answer.statusCode !== 200) throw refusalOf(answer, await text(answer));
      let received = "";
      answer.setEncoding("utf8");
      for await (const chunk of answer) {
        received += chunk;
        for (let end = received.indexOf("\n\n"); end >= 0; end = received.indexOf("\n\n")) {
          const json = received.slice(0, end).replace(/^data: /, "");
          received = received.slice(end + 2);
          yield json
            ? fromJsonString(WatchOrdersResponseSchema, json)
            : create(WatchOrdersResponseSchema);
        }
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function refusalOf({ statusCode }: IncomingMessage, body: string): Error {
  const [, message = body] = /"message":"([^"]*)"/.exec(body) ?? [];
  return new Error(`HTTP ${statusCode} ${message}`);
}
