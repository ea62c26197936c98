import assert from "node:assert/strict";
import { assertWhole, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { type System, startSystem } from "../harness/system/system.ts";

describe("two replicas that start at once on an empty database", function () {
  this.timeout(checkTimeoutMs);
  let system: System;

  beforeEach(async () => {
    system = await startSystem();
  });
  afterEach(() => system?.[Symbol.asyncDispose]());

  const assertWorks = async () => {
    for (const service of ["orders", "payments"] as const) {
      const { rows } = await system.databases[service].query<{ name: string }>(
        "SELECT name FROM mikro_orm_migrations ORDER BY id",
      );
      const names = rows.map(({ name }) => name);
      assert.equal(names[0], "0001-initial");
      assert.deepEqual(names, [...new Set(names)], "each migration once");
    }
    const history = createHistory();
    await system.healthy();
    const shopper = createShopper(history, system.call);
    await shopper.fundedAccount("first", 10n);
    await shopper.createOrder("first", 10n);
    await assertWhole(system, history);
  };

  it("migrate it once", async () => {
    await Promise.all([
      system.start("orders", { port: system.ports.orders }),
      system.start("orders"),
      system.start("payments", { port: system.ports.payments }),
      system.start("payments"),
    ]);
    await assertWorks();
  });

  it("migrate it once if one is killed just before the commit", async () => {
    const crashAt = "migration.before-commit:1";
    const [dead, deadToo] = await Promise.all([
      system.start("orders", { crashAt }),
      system.start("payments", { crashAt }),
      system.start("orders", { port: system.ports.orders }),
      system.start("payments", { port: system.ports.payments }),
    ]);
    for (const { exited } of [dead, deadToo]) assert.match((await exited).reason, /SIGKILL/);
    await assertWorks();
  });
});
