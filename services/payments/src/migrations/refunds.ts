import { Migration } from "@mikro-orm/migrations";

/** Lets refunds raise a balance above the limit for deposits: a refund is never rejected for it. */
export class Refunds extends Migration {
  override up(): void {
    // NOT VALID spares a scan of the table under its lock: every row has passed the narrower check.
    this.addSql(`
      ALTER TABLE accounts
        DROP CONSTRAINT accounts_balance_minor_check,
        ADD CONSTRAINT accounts_balance_minor_check CHECK (balance_minor >= 0) NOT VALID;
    `);
  }
}
