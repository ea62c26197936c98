import {
  create,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  OrdersService,
  type WatchOrdersRequestSchema,
  type WatchOrdersResponse,
} from "@settle/gen/orders/v1/orders_service_pb";
import { asOwner, headersOf } from "../system/tokens.ts";
import type { Refusal } from "./call.ts";
import { pathOf } from "./protocols.ts";
import { connectErrorRefusal, grpcRefusal, restRefusal } from "./refusals.ts";

const method = OrdersService.method.watchOrders;

/** Thrown if a watch was refused, or was ended by an error of its protocol. */
export class WatchRefused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`${refusal.code} ${refusal.reason} ${refusal.message}`);
    this.refusal = refusal;
  }
}

/**
 * Watches a user's orders by one protocol until `signal` aborts or the stream ends. Throws if the
 * stream breaks.
 */
export type Watcher = (
  request: MessageInitShape<typeof WatchOrdersRequestSchema>,
  signal: AbortSignal,
) => AsyncIterable<WatchOrdersResponse>;

/** Server-sent events by plain fetch. */
export function watchRest(baseUrl: string, authorize = asOwner): Watcher {
  return async function* (request, signal) {
    const { userId, afterRevision = 0n } = request;
    const url = `${baseUrl}/gateway/orders/${userId}:watch?afterRevision=${afterRevision}`;
    const response = await fetch(url, { headers: await headersOf(authorize, request), signal });
    if (!response.ok) throw new WatchRefused(restRefusal((await response.json()) as never));
    let received = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received += chunk;
      for (let end = received.indexOf("\n\n"); end >= 0; end = received.indexOf("\n\n")) {
        const event = received.slice(0, end);
        received = received.slice(end + 2);
        yield fromJsonString(method.output, event.replace(/^data: /, ""));
      }
    }
  };
}

/** Connect by connect-web, as a page does it. */
export function watchConnect(baseUrl: string, authorize = asOwner): Watcher {
  return watchTransport(createConnectTransport({ baseUrl }), authorize);
}

/** gRPC-Web by connect-web. */
export function watchGrpcWeb(baseUrl: string, authorize = asOwner): Watcher {
  return watchTransport(createGrpcWebTransport({ baseUrl }), authorize);
}

/** gRPC by plain grpc-js. */
export function watchGrpc(baseUrl: string, authorize = asOwner): Watcher {
  return async function* (request, signal) {
    const metadata = new Metadata();
    const headers = await headersOf(authorize, request);
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const client = new Client(new URL(baseUrl).host, credentials.createInsecure());
    const call = client.makeServerStreamRequest(
      pathOf(method),
      (message) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      create(method.input, request),
      metadata,
    );
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel);
    try {
      for await (const message of call) yield message;
    } catch (error) {
      signal.throwIfAborted();
      throw new WatchRefused(grpcRefusal(error as ServiceError));
    } finally {
      signal.removeEventListener("abort", cancel);
      call.cancel();
      client.close();
    }
  };
}

/** All ways to watch, by the name of the protocol. */
export const watchers: Readonly<Record<string, (baseUrl: string) => Watcher>> = {
  REST: watchRest,
  Connect: watchConnect,
  "gRPC-Web": watchGrpcWeb,
  gRPC: watchGrpc,
};

function watchTransport(transport: Transport, authorize: typeof asOwner): Watcher {
  return async function* (request, signal) {
    const headers = await headersOf(authorize, request);
    async function* input() {
      yield request;
    }
    try {
      const { message } = await transport.stream(method, signal, undefined, headers, input());
      for await (const answer of message) yield answer;
    } catch (error) {
      signal.throwIfAborted();
      throw new WatchRefused(connectErrorRefusal(error as never));
    }
  };
}
