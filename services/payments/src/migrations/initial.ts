import { Migration } from "@mikro-orm/migrations";
import { inboxTable } from "@settle/chassis/events/inbox";
import { outboxTable } from "@settle/chassis/events/outbox";
import { idempotencyKeysTable } from "@settle/chassis/writes/idempotency";

/** Accounts, payments and the ledger, and the chassis' tables. */
export class Initial extends Migration {
  override up(): void {
    this.addSql(`
      CREATE TABLE accounts (
        user_id text PRIMARY KEY,
        currency text NOT NULL,
        balance_minor bigint NOT NULL DEFAULT 0
          CHECK (balance_minor BETWEEN 0 AND 1000000000000000),
        entry_count bigint NOT NULL DEFAULT 0,
        create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL
      ) WITH (fillfactor = 50);

      CREATE TABLE payments (
        order_id uuid PRIMARY KEY,
        user_id text NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL,
        outcome smallint NOT NULL,
        decline_reason smallint NOT NULL DEFAULT 0,
        refunded_minor bigint NOT NULL DEFAULT 0
          CHECK (refunded_minor BETWEEN 0 AND amount_minor),
        receive_time timestamptz NOT NULL,
        decide_time timestamptz NOT NULL,
        refund_time timestamptz
      );

      CREATE TABLE ledger_entries (
        movement_id uuid NOT NULL,
        account text NOT NULL,
        kind smallint NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
        currency text NOT NULL,
        sequence bigint,
        balance_after_minor bigint,
        order_id uuid,
        create_time timestamptz NOT NULL,
        PRIMARY KEY (movement_id, account)
      );
      CREATE UNIQUE INDEX ledger_entries_statement ON ledger_entries (account, sequence)
        WHERE sequence IS NOT NULL;
    `);
    this.addSql(outboxTable);
    this.addSql(inboxTable);
    this.addSql(idempotencyKeysTable);
  }
}
