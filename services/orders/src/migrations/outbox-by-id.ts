import { Migration } from "@mikro-orm/migrations";
import { outboxByIdOnly } from "@settle/chassis/events/outbox";

/** Finds the events to publish by their ids, so that storing one maintains one index. */
export class OutboxById extends Migration {
  override up(): void {
    this.addSql(outboxByIdOnly);
  }
}
