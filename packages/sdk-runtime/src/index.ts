/** The runtime of the generated facade. It is independent of the services. */
export { type Caller, type CallerOptions, createCaller, type SettleTransport } from "./caller.ts";
export {
  type CallOptions,
  createIdempotencyKey,
  type WaitOptions,
  type WatchOptions,
  type WriteOptions,
} from "./options.ts";
export { itemsOf, type Pages } from "./pages.ts";
export {
  type ErrorClasses,
  type FieldViolation,
  SettleError,
  type SettleErrorFacts,
} from "./settle-error.ts";
export type { Timing } from "./timing.ts";
export type { Token } from "./token-source.ts";
export type { Heartbeat, Watch } from "./watch.ts";
