import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Database } from "@settle/chassis/database/database";
import type { Page } from "@settle/chassis/rpc/page-token";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { ListOrdersRequest } from "@settle/gen/orders/v1/orders_service_pb";
import type { StoredOrder } from "./order.entity.ts";
import { type OrderRow, orderColumns, orderOf } from "./order-rows.ts";

/** The last millisecond of the year 9999: a date that rounds up to a later year cannot be queried. */
const lastMs = 253_402_300_799_999;

/**
 * Reads the orders that the request selects, newest first: those of the page and one more. They are
 * read as rows, because entities would cost five times as much.
 */
export async function listOrders(
  database: Database,
  request: ListOrdersRequest,
  { limit, after }: Page,
): Promise<readonly StoredOrder[]> {
  const { userId, status, createdAfter, createdBefore } = request;
  const conditions: string[] = [];
  const values: unknown[] = [];
  const where = (condition: string, value: unknown) => {
    conditions.push(`${condition} $${values.push(value)}`);
  };
  where("user_id =", userId);
  if (status !== OrderStatus.UNSPECIFIED) where("status =", status);
  // Times are stored in milliseconds. A bound between two of them is rounded away from the window,
  // which is exact: no stored time lies between the bound and its rounded value.
  if (createdAfter) where("create_time >", timeOf(createdAfter, Math.floor));
  if (createdBefore) where("create_time <", timeOf(createdBefore, Math.ceil));
  if (after !== undefined) where("id <", after);
  const rows = await database.read<OrderRow>(
    `SELECT ${orderColumns} FROM orders WHERE ${conditions.join(" AND ")}
     ORDER BY id DESC LIMIT ${limit + 1}`,
    values,
  );
  return rows.map(orderOf);
}

function timeOf({ seconds, nanos }: Timestamp, round: (ms: number) => number): string {
  const ms = Number(seconds) * 1_000 + round(nanos / 1_000_000);
  return new Date(Math.min(ms, lastMs)).toISOString();
}
