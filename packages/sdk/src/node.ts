/** `@settle/sdk/node`: for Node, by gRPC. */
import { grpc } from "./grpc.ts";
import { createSettleBy, type Settle, type SettleOptions } from "./settle.ts";

export { type GrpcOptions, grpc } from "./grpc.ts";
export * from "./surface.ts";

/** Builds a client, which calls by gRPC unless its options say otherwise. */
export function createSettle(options: SettleOptions): Settle {
  return createSettleBy({ transport: grpc(), ...options });
}
