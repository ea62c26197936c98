import { Migration } from "@mikro-orm/migrations";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";

/** Lets a watch find what has changed of a user's orders, and expiry what has waited too long. */
export class WatchAndExpiry extends Migration {
  override up(): void {
    this.addSql(`
      CREATE INDEX orders_revision ON orders (user_id, revision);
      CREATE INDEX orders_expiring ON orders (expire_time)
        WHERE status = ${OrderStatus.PENDING_PAYMENT} AND expire_time IS NOT NULL;
    `);
  }
}
