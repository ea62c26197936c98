/** The exports of every entry point of the SDK. */

export { Code } from "@connectrpc/connect";
export * from "@settle/gen-sdk/errors";
export type * from "@settle/gen-sdk/facades";
export * from "@settle/gen-sdk/messages";
export {
  type CallOptions,
  createIdempotencyKey,
  type FieldViolation,
  type Heartbeat,
  type Pages,
  SettleError,
  type SettleTransport,
  type Token,
  type WaitOptions,
  type Watch,
  type WatchOptions,
  type WriteOptions,
} from "@settle/sdk-runtime";
export {
  type DecodedEvent,
  decodeEvent,
  decodeEvents,
  type EventDelivery,
  EventRefusedError,
  type SettleEvent,
} from "./decode-event.ts";
export { enumName } from "./enum-name.ts";
export {
  decimalText,
  formatMoney,
  formatMoneyToParts,
  hasMinorUnits,
  type MoneyValue,
  minorUnitDigits,
  money,
} from "./money.ts";
export type { Settle, SettleOptions, TransportFactory } from "./settle.ts";
export { connect, grpcWeb, type WebTransportOptions } from "./web-transports.ts";
