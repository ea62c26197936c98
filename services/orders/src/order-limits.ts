/** What users may have at the same time on one replica. */
export type OrderLimits = {
  /** Orders of a user whose payment is pending. */
  readonly pendingPerUser: number;
  /** Open streams of WatchOrders, in all and of a user. */
  readonly watches: number;
  readonly watchesPerUser: number;
  /** Calls of a user that wait for the result of an order. */
  readonly waitsPerUser: number;
};

export const defaultOrderLimits: OrderLimits = {
  pendingPerUser: 10_000,
  watches: 1_000,
  watchesPerUser: 10,
  waitsPerUser: 100,
};
