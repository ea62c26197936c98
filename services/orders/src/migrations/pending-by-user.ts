import { Migration } from "@mikro-orm/migrations";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";

/** Counts a user's orders whose payment is pending, for the quota. */
export class PendingByUser extends Migration {
  override up(): void {
    this.addSql(`
      CREATE INDEX orders_pending_user ON orders (user_id)
        WHERE status = ${OrderStatus.PENDING_PAYMENT};
    `);
  }
}
