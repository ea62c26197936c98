/** `@settle/sdk`: for browsers and Node, over fetch. */
import { createSettleBy, type Settle, type SettleOptions } from "./settle.ts";
import { connect } from "./web-transports.ts";

export * from "./surface.ts";

/** Creates a client. It uses the Connect protocol unless its options name another transport. */
export function createSettle(options: SettleOptions): Settle {
  return createSettleBy({ transport: connect(), ...options });
}
