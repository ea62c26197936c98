import { Migration } from "@mikro-orm/migrations";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";

/** Lets repair find the cancellations that payments has not answered. */
export class UnansweredCancellations extends Migration {
  override up(): void {
    this.addSql(`
      ALTER TABLE orders ADD COLUMN nothing_taken boolean NOT NULL DEFAULT false;
      CREATE INDEX orders_cancelled ON orders (greatest(announce_time, settle_time))
        WHERE status = ${OrderStatus.CANCELLED} AND NOT nothing_taken
          AND refunded_minor < amount_minor;
    `);
  }
}
