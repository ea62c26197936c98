/** `@settle/sdk`: for browsers and for Node, by fetch. */
import { createSettleBy, type Settle, type SettleOptions } from "./settle.ts";
import { connect } from "./web-transports.ts";

export * from "./surface.ts";

/** Builds a client, which calls by the Connect protocol unless its options say otherwise. */
export function createSettle(options: SettleOptions): Settle {
  return createSettleBy({ transport: connect(), ...options });
}
