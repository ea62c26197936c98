import { Migration } from "@mikro-orm/migrations";
import { defineEntity, p } from "@mikro-orm/postgresql";
import { type Faults, noFaults } from "../../src/base/faults.ts";
import { createDatabase, type Database, type DatabaseLimits } from "../../src/database/database.ts";
import { inboxTable, maintainInbox } from "../../src/events/inbox.ts";
import { outboxByIdOnly, outboxTable } from "../../src/events/outbox.ts";
import { opsTables } from "../../src/ops/ops-tables.ts";
import { createTestDatabase, testClock, testLog } from "../../src/testing.ts";
import { idempotencyKeysTable } from "../../src/writes/idempotency.ts";

class ChassisTables extends Migration {
  override up(): void {
    this.addSql(outboxTable);
    this.addSql(outboxByIdOnly);
    this.addSql(inboxTable);
    this.addSql(idempotencyKeysTable);
    this.addSql(opsTables);
    this.addSql("CREATE TABLE effects (name text PRIMARY KEY, count bigint NOT NULL)");
  }
}

export const EffectEntity = defineEntity({
  name: "EffectEntity",
  tableName: "effects",
  properties: { name: p.text().primary(), count: p.bigint() },
});

/** Opens a database on `url` with the tables of the chassis and one for effects to be counted in. */
export function openChassisDatabase(
  url: string,
  faults: Faults = noFaults,
  limits: Partial<DatabaseLimits> = {},
): Database {
  return createDatabase({
    url,
    name: "chassis-test",
    entities: [EffectEntity],
    migrations: [{ name: "0001-chassis", class: ChassisTables }],
    clock: testClock,
    log: testLog,
    faults,
    limits,
  });
}

/** A fresh, migrated database, gone when disposed. */
export async function setupDatabase(): Promise<
  AsyncDisposable & { readonly url: string; readonly database: Database }
> {
  await using setup = new AsyncDisposableStack();
  const { url } = setup.use(await createTestDatabase("chassis"));
  const database = setup.use(openChassisDatabase(url));
  await database.migrate();
  await maintainInbox(database, testClock);
  const running = setup.move();
  return { url, database, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
