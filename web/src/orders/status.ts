import { type Order, OrderStatus } from "@settle/sdk";

/** Where an order stands, in one word; `unknown` for what is newer than this page. */
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

/** The word for where the order stands. */
export function statusOf({ status }: Pick<Order, "status">): OrderStatusName {
  return names.get(status) ?? "unknown";
}

/** The word for a status as the metadata of an error brings it, such as `ORDER_STATUS_PAID`. */
export function statusNamed(name: string | undefined): OrderStatusName {
  const bare = name?.replace(/^ORDER_STATUS_/, "") as keyof typeof OrderStatus | undefined;
  const status = bare === undefined ? undefined : OrderStatus[bare];
  return (status === undefined ? undefined : names.get(status)) ?? "unknown";
}
