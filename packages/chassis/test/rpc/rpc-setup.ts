import { connect, type Socket } from "node:net";
import { create, createFileRegistry, type DescService, setExtension } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { type Client, createClient, type ServiceImpl, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AccessSchema, access } from "@settle/gen/errors/v1/errors_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { pino } from "pino";
import { systemClock } from "../../src/base/clock.ts";
import type { Page } from "../../src/docs/page.ts";
import type { TokenVerifier } from "../../src/identity/token-verifier.ts";
import { createHealth } from "../../src/rpc/health.ts";
import type { RpcLimits } from "../../src/rpc/rpc-limits.ts";
import { createRpcServer } from "../../src/rpc/rpc-server.ts";
import type { WriteQuota } from "../../src/rpc/write-quota.ts";

export type LogLine = Readonly<Record<string, unknown>>;
export type Orders = ServiceImpl<typeof OrdersService>;
export const protocols = ["grpc", "grpc-web", "connect-json", "connect-binary"] as const;
export type Protocol = (typeof protocols)[number];

/** A request that keeps every rule. */
export const orderRequest = {
  userId: "alice",
  amount: { minorUnits: 250n, currency: "USD" },
  description: "two tickets",
};
export const orderId = "01890000-0000-7000-8000-000000000000";

/** `test.v1.Ticker`, whose only method streams answers to one request; both are numbers. */
export const Ticker = describeTicker();
export type Tick = { readonly number: number };
export type TickHandler = (request: Tick, context: { signal: AbortSignal }) => AsyncIterable<Tick>;

/** Lets everybody in as the same user, who may do whatever the tests that are not about it need. */
const everybody: TokenVerifier = {
  verify: () => ({
    userId: orderRequest.userId,
    scopes: new Set(["tick"]),
    expireTimeMs: Number.MAX_SAFE_INTEGER,
  }),
};

/** A server with the orders and ticker services, clients of every protocol, and its log lines. */
export async function setup(
  options: {
    readonly orders?: Partial<Orders>;
    readonly tick?: TickHandler;
    readonly limits?: Partial<RpcLimits>;
    readonly descriptors?: Uint8Array;
    readonly verifier?: TokenVerifier;
    readonly pages?: ReadonlyMap<string, Page>;
    readonly writeQuota?: WriteQuota;
  } = {},
) {
  await using stack = new AsyncDisposableStack();
  const logs: LogLine[] = [];
  const log = pino({ level: "info" }, { write: (line) => logs.push(JSON.parse(line)) });
  const health = createHealth();
  // What a test does not call may be missing.
  const orders = {
    createOrder: ({ userId, amount, description }) => ({
      id: orderId,
      userId,
      description,
      ...(amount && { amount }),
    }),
    getOrder: (request) => ({ id: request.orderId, userId: request.userId }),
    listOrders: () => ({ orders: [], nextPageToken: "" }),
    cancelOrder: (request) => ({ id: request.orderId, userId: request.userId }),
    async *watchOrders() {},
    ...options.orders,
  } satisfies Partial<Orders> as Orders;
  const tick: TickHandler = options.tick ?? countTo;
  const server = stack.use(
    createRpcServer({
      services: [
        { service: OrdersService, implementation: orders },
        { service: Ticker, implementation: { tick } as unknown as ServiceImpl<DescService> },
      ],
      host: "127.0.0.1",
      port: 0,
      domain: "orders.settle",
      verifier: options.verifier ?? everybody,
      health,
      descriptors: options.descriptors,
      ...(options.pages && { pages: options.pages }),
      ...(options.writeQuota && { writeQuota: options.writeQuota }),
      limits: { drainMs: 0, abortAfterMs: 100, cutAfterMs: 100, ...options.limits },
      clock: systemClock,
      log,
      newId: () => crypto.randomUUID(),
    }),
  );
  const { port } = await server.listen();
  health.setServing(true);
  const baseUrl = `http://127.0.0.1:${port}`;
  const sessions = new Http2SessionManager(baseUrl);
  stack.defer(() => sessions.abort());
  const transports: Record<Protocol, Transport> = {
    grpc: createGrpcTransport({ baseUrl, sessionManager: sessions }),
    "grpc-web": createGrpcWebTransport({ baseUrl }),
    "connect-json": createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    "connect-binary": createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      useBinaryFormat: true,
    }),
  };
  const owned = stack.move();
  return {
    port,
    baseUrl,
    health,
    server,
    logs,
    orders: (protocol: Protocol): Client<typeof OrdersService> =>
      createClient(OrdersService, transports[protocol]),
    ticks: (protocol: Protocol, number: number, options?: { signal?: AbortSignal }) =>
      tickClient(transports[protocol])({ number }, options),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function tickClient(transport: Transport) {
  const client = createClient(Ticker, transport) as unknown as {
    tick(request: Tick, options?: { signal?: AbortSignal }): AsyncIterable<Tick>;
  };
  return client.tick.bind(client);
}

async function* countTo(request: Tick): AsyncGenerator<Tick> {
  for (let number = 1; number <= request.number; number += 1) yield { number };
}

function describeTicker(): DescService {
  const tick = {
    name: "Tick",
    field: [
      { name: "number", jsonName: "number", number: 1, type: FieldDescriptorProto_Type.INT32 },
    ],
  };
  const tickers = create(MethodOptionsSchema);
  setExtension(tickers, access, create(AccessSchema, { scope: "tick" }));
  const file = create(FileDescriptorProtoSchema, {
    name: "test/v1/ticker.proto",
    package: "test.v1",
    syntax: "proto3",
    messageType: [tick],
    service: [
      {
        name: "Ticker",
        method: [
          {
            name: "Tick",
            inputType: ".test.v1.Tick",
            outputType: ".test.v1.Tick",
            serverStreaming: true,
            options: tickers,
          },
        ],
      },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const service = registry.getService("test.v1.Ticker");
  if (!service) throw new Error("test.v1.Ticker is not in its own file");
  return service;
}

/** Sends raw bytes and returns all that comes back until the server closes. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = await dial(port);
  socket.write(bytes);
  let text = "";
  for await (const chunk of socket) text += chunk.toString("latin1");
  return text;
}

/** Opens a raw connection. */
export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** A promise and its resolver, to wait for what a handler does. */
export const signal = <T = void>() => Promise.withResolvers<T>();
