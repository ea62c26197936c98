import assert from "node:assert/strict";
import { Client } from "pg";
import { noFaults } from "../../src/base/faults.ts";
import type { Database } from "../../src/database/database.ts";
import { failureOf } from "../../src/database/database-failure.ts";
import { createTestDatabase } from "../../src/testing.ts";
import { createProxy } from "../broker/broker-lab.ts";
import { EffectEntity, openChassisDatabase, setupDatabase } from "./chassis-database.ts";

describe("database", () => {
  let setup: Awaited<ReturnType<typeof setupDatabase>>;
  let database: Database;
  before(async () => {
    setup = await setupDatabase();
    ({ database } = setup);
  });
  after(() => setup[Symbol.asyncDispose]());

  const countOf = async (name: string) => {
    const rows = await database.query("SELECT count FROM effects WHERE name = $1", [name]);
    return rows[0]?.count;
  };
  const insert = (name: string) =>
    [
      "INSERT INTO effects VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET count = effects.count + 1",
      [name],
    ] as const;

  it("runs the after-commit effects only after the commit", async () => {
    let seen: unknown = "never";
    const seenWithin = await database.transaction(async (transaction) => {
      await transaction.query(...insert("after-commit"));
      transaction.afterCommit(() => {
        seen = countOf("after-commit");
      });
      transaction.afterRollback(() => assert.fail("it was committed"));
      return seen;
    });
    assert.equal(seenWithin, "never");
    assert.equal(await seen, "1");
  });

  it("undoes everything and runs the rollback effects when the work throws", async () => {
    let undone = 0;
    const work = database.transaction(async (transaction) => {
      await transaction.query(...insert("undone"));
      transaction.afterCommit(() => assert.fail("it was not committed"));
      transaction.afterRollback(() => {
        undone += 1;
      });
      throw new Error("no");
    });
    await assert.rejects(work, /no/);
    assert.equal(await countOf("undone"), undefined);
    assert.equal(undone, 1);
  });

  it("retries the whole transaction after a conflict, a limited number of times", async () => {
    let attempts = 0;
    await database.transaction(async (transaction) => {
      attempts += 1;
      await transaction.query(...insert("conflict"));
      if (attempts < 3) throw Object.assign(new Error("conflict"), { code: "40001" });
    });
    assert.equal(attempts, 3);
    assert.equal(await countOf("conflict"), "1");
    attempts = 0;
    const hopeless = database.transaction(async () => {
      attempts += 1;
      throw Object.assign(new Error("conflict"), { code: "40001" });
    });
    await assert.rejects(hopeless, /conflict/);
    assert.equal(attempts, 5);
  });

  it("retries when connections are cut, more often than the pool has connections", async () => {
    const admin = new Client({ connectionString: process.env.TEST_POSTGRES_URL });
    await admin.connect();
    const cuts = 12;
    let attempts = 0;
    for (let cut = 0; cut < cuts; cut += 1) {
      let first = true;
      await database.transaction(async (transaction) => {
        attempts += 1;
        const [row] = await transaction.query<{ pid: number }>(
          "SELECT pg_backend_pid() AS pid",
          [],
        );
        if (first) await admin.query("SELECT pg_terminate_backend($1)", [row?.pid]);
        first = false;
        await transaction.query(...insert("cut"));
      });
    }
    await admin.end();
    assert.equal(attempts, 2 * cuts);
    assert.equal(await countOf("cut"), String(cuts));
  });

  it("drops a silent connection in time", async () => {
    await using proxy = await createProxy(setup.url);
    const limits = { connectTimeoutMs: 200, maxSilenceMs: 300 };
    await using silenced = openChassisDatabase(proxy.url, noFaults, limits);
    let attempts = 0;
    await silenced.transaction(async (transaction) => {
      attempts += 1;
      proxy.silence(attempts === 1);
      await transaction.query(...insert("silence")).finally(() => proxy.silence(false));
    });
    assert.equal(attempts, 2);
    assert.equal(await countOf("silence"), "1");

    proxy.silence(true);
    const startedMs = performance.now();
    await assert.rejects(
      silenced.transaction(async () => assert.fail("it has begun")),
      /timeout|Connection terminated/,
    );
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
  });

  it("has connections for writes while all those for reads are in use, and the reverse", async () => {
    const limits = {
      readConnections: 2,
      writeConnections: 2,
      connectTimeoutMs: 500,
      // Longer than the test holds the table.
      lockTimeoutMs: 10_000,
    };
    await using small = openChassisDatabase(setup.url, noFaults, limits);
    await using lock = await lockEffects(setup.url);
    const reads = [1, 2].map(() => small.entities().count(EffectEntity));
    // Not the table that is locked.
    const [outbox] = await small.query("SELECT count(*) AS rows FROM outbox", []);
    assert.deepEqual(outbox, { rows: "0" });
    await small.transaction(({ query }) => query("DELETE FROM outbox", []));

    const writes = [1, 2].map(() => small.transaction(({ query }) => query(...insert("pools"))));
    await Promise.all([
      assert.rejects(small.read("SELECT 1", []), isBusy),
      assert.rejects(
        small.transaction(async () => assert.fail("it has begun")),
        isBusy,
      ),
    ]);
    await lock[Symbol.asyncDispose]();
    await Promise.all([...reads, ...writes]);
    assert.deepEqual(await small.read("SELECT 1 AS one", []), [{ one: 1 }]);
    assert.equal(await countOf("pools"), "2");
  });

  it("does not retry what the database refuses", async () => {
    let attempts = 0;
    const work = database.transaction(async (transaction) => {
      attempts += 1;
      await transaction.query(...insert("with \u0000 inside"));
    });
    await assert.rejects(work, { code: "22021" });
    assert.equal(attempts, 1);
  });

  it("migrates once, however many processes start together", async () => {
    await using fresh = await createTestDatabase("chassis");
    const replicas = Array.from({ length: 4 }, () => openChassisDatabase(fresh.url));
    await Promise.all(replicas.map((replica) => replica.migrate()));
    const rows = await replicas[0]?.query("SELECT name FROM mikro_orm_migrations", []);
    assert.deepEqual(rows, [{ name: "0001-chassis" }]);
    await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
  });
});

const isBusy = (error: unknown) => failureOf(error) === "busy";

/** Keeps everybody from reading and writing `effects` until it is disposed. */
async function lockEffects(url: string): Promise<AsyncDisposable> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("BEGIN");
  await client.query("LOCK TABLE effects IN ACCESS EXCLUSIVE MODE");
  let ended: Promise<void> | undefined;
  return {
    [Symbol.asyncDispose]() {
      ended ??= client.end();
      return ended;
    },
  };
}
