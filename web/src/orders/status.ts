import { type Order, OrderStatus } from "@settle/sdk";

/** The status of an order as a word; `unknown` for a status that is newer than this page. */
export type OrderStatusName =
  | "pending"
  | "paid"
  | "declined"
  | "cancelled"
  | "refunded"
  | "unknown";

const names = new Map<OrderStatus, OrderStatusName>([
  [OrderStatus.PENDING_PAYMENT, "pending"],
  [OrderStatus.PAID, "paid"],
  [OrderStatus.PAYMENT_DECLINED, "declined"],
  [OrderStatus.CANCELLED, "cancelled"],
  [OrderStatus.REFUNDED, "refunded"],
]);

/** A status that this page knows. */
export type KnownStatusName = Exclude<OrderStatusName, "unknown">;

/** The known statuses, in the order in which an order can have them. */
export const knownStatuses = [...names.values()] as readonly KnownStatusName[];

/** Returns the status for its word. */
export function statusCode(name: KnownStatusName): OrderStatus {
  const [code] = [...names].find(([, known]) => known === name) ?? [OrderStatus.UNSPECIFIED];
  return code;
}

/** Returns the word for the status of an order. */
export function statusOf({ status }: Pick<Order, "status">): OrderStatusName {
  return names.get(status) ?? "unknown";
}

/** Returns the word for a status in the metadata of an error, such as `ORDER_STATUS_PAID`. */
export function statusNamed(name: string | undefined): OrderStatusName {
  const bare = name?.replace(/^ORDER_STATUS_/, "") as keyof typeof OrderStatus | undefined;
  const status = bare === undefined ? undefined : OrderStatus[bare];
  return (status === undefined ? undefined : names.get(status)) ?? "unknown";
}
