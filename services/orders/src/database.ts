import { createDatabase, type Database } from "@settle/chassis/database/database";
import { Initial } from "./migrations/initial.ts";
import { Ops } from "./migrations/ops.ts";
import { OutboxById } from "./migrations/outbox-by-id.ts";
import { PendingByUser } from "./migrations/pending-by-user.ts";
import { PendingOrders } from "./migrations/pending-orders.ts";
import { UnansweredCancellations } from "./migrations/unanswered-cancellations.ts";
import { WatchAndExpiry } from "./migrations/watch-and-expiry.ts";
import { OrderEntity } from "./order.entity.ts";

/** Opens the orders database. Applied migrations are never changed; new ones are added below. */
export function createOrdersDatabase(
  options: Omit<Parameters<typeof createDatabase>[0], "name" | "entities" | "migrations">,
): Database {
  return createDatabase({
    ...options,
    name: "orders",
    entities: [OrderEntity],
    migrations: [
      { name: "0001-initial", class: Initial },
      { name: "0002-pending-orders", class: PendingOrders },
      { name: "0003-watch-and-expiry", class: WatchAndExpiry },
      { name: "0004-unanswered-cancellations", class: UnansweredCancellations },
      { name: "0005-pending-by-user", class: PendingByUser },
      { name: "0006-outbox-by-id", class: OutboxById },
      { name: "0007-ops", class: Ops },
    ],
  });
}
