import { createDatabase, type Database } from "@settle/chassis/database/database";
import { AccountEntity } from "./account.entity.ts";
import { LedgerEntryEntity } from "./ledger.entity.ts";
import { Initial } from "./migrations/initial.ts";
import { Ops } from "./migrations/ops.ts";
import { OutboxById } from "./migrations/outbox-by-id.ts";
import { Refunds } from "./migrations/refunds.ts";
import { PaymentEntity } from "./payment.entity.ts";

/** Opens the payments database. Applied migrations are never changed; new ones are added below. */
export function createPaymentsDatabase(
  options: Omit<Parameters<typeof createDatabase>[0], "name" | "entities" | "migrations">,
): Database {
  return createDatabase({
    ...options,
    name: "payments",
    entities: [AccountEntity, LedgerEntryEntity, PaymentEntity],
    migrations: [
      { name: "0001-initial", class: Initial },
      { name: "0002-refunds", class: Refunds },
      { name: "0003-outbox-by-id", class: OutboxById },
      { name: "0004-ops", class: Ops },
    ],
  });
}
