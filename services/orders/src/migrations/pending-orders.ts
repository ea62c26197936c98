import { Migration } from "@mikro-orm/migrations";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";

/** Lets repair find the orders whose payment is pending, and when it last announced them. */
export class PendingOrders extends Migration {
  override up(): void {
    this.addSql(`
      ALTER TABLE orders ADD COLUMN announce_time timestamptz;
      CREATE INDEX orders_pending ON orders (coalesce(announce_time, create_time))
        WHERE status = ${OrderStatus.PENDING_PAYMENT};
    `);
  }
}
