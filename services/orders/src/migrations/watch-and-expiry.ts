import { Migration } from "@mikro-orm/migrations";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";

/** Lets a watch find the changes to a user's orders, and expiry the orders that are overdue. */
export class WatchAndExpiry extends Migration {
  override up(): void {
    this.addSql(`
      CREATE INDEX orders_revision ON orders (user_id, revision);
      CREATE INDEX orders_expiring ON orders (expire_time)
        WHERE status = ${OrderStatus.PENDING_PAYMENT} AND expire_time IS NOT NULL;
    `);
  }
}
