/** `@settle/sdk/node`: for Node, over gRPC. */
import { grpc } from "./grpc.ts";
import { createSettleBy, type Settle, type SettleOptions } from "./settle.ts";

export { type GrpcOptions, grpc } from "./grpc.ts";
export * from "./surface.ts";

/** Creates a client. It uses gRPC unless its options name another transport. */
export function createSettle(options: SettleOptions): Settle {
  return createSettleBy({ transport: grpc(), ...options });
}
