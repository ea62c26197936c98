/** `@settle/sdk/ops`: for operators, with tokens that have the scope `ops` or `ops.read`. */
import { createOpsServices, type OpsServices } from "@settle/gen-sdk/ops-services";
import { createClientBy, type SettleOptions } from "./settle.ts";
import { connect } from "./web-transports.ts";

export type * from "@settle/gen-sdk/ops-facades";
export * from "@settle/gen-sdk/ops-messages";

/**
 * A client of the ops services of Settle: `orders.ops.v1` and `payments.ops.v1`. Disposing it ends
 * calls in progress and closes its connections; it cannot be used afterwards.
 */
export type SettleOps = OpsServices & AsyncDisposable;

/** Creates a client. It uses the Connect protocol unless its options name another transport. */
export function createSettleOps(options: SettleOptions): SettleOps {
  return createClientBy({ transport: connect(), ...options }, createOpsServices);
}
