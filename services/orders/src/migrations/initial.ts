import { Migration } from "@mikro-orm/migrations";
import { inboxTable } from "@settle/chassis/events/inbox";
import { outboxTable } from "@settle/chassis/events/outbox";
import { idempotencyKeysTable } from "@settle/chassis/writes/idempotency";

/** Orders, the revision of each user's orders, and the chassis' tables. */
export class Initial extends Migration {
  override up(): void {
    this.addSql(`
      CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id text NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL,
        description text NOT NULL,
        status smallint NOT NULL,
        decline_reason smallint NOT NULL DEFAULT 0,
        refunded_minor bigint NOT NULL DEFAULT 0
          CHECK (refunded_minor BETWEEN 0 AND amount_minor),
        revision bigint NOT NULL,
        create_time timestamptz NOT NULL,
        settle_time timestamptz,
        expire_time timestamptz,
        update_time timestamptz NOT NULL
      ) WITH (fillfactor = 80);
      CREATE INDEX orders_user ON orders (user_id, id DESC);

      CREATE TABLE user_revisions (
        user_id text PRIMARY KEY,
        revision bigint NOT NULL
      ) WITH (fillfactor = 50);
    `);
    this.addSql(outboxTable);
    this.addSql(inboxTable);
    this.addSql(idempotencyKeysTable);
  }
}
